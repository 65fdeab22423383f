"""What the recurrent rules share: was one orthogonal matrix drawn over all gates?"""

from __future__ import annotations

from initcheck.records.evidence import Evidence
from initcheck.records.stats import WeightStats
from initcheck.theory.sampling import dtype_eps

SAME = 1e-5
"""Largest relative difference between the mean square gain of a packed matrix and that of an orthogonal one; chance comes nowhere near."""


def one_orthogonal_draw(stats: WeightStats, evidence: Evidence) -> bool:
    """Whether a stack of gates is one orthogonal matrix while its gates are none.

    By provenance, else by numbers: over the gates of an orthogonal matrix the squares of the block gains add up to 1.
    """
    if stats.blocks < 2 or max(stats.block_orthogonality, default=0.0) < max(20 * dtype_eps(stats.dtype), SAME):
        return False
    record = evidence.record(stats.parameter)
    ruling = record.ruling() if record is not None else None
    if ruling is not None and ruling.call.known():
        return ruling.call.get().name == "orthogonal_"
    return abs(sum(gain * gain for gain in stats.block_gain) - 1.0) < SAME
