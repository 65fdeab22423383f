"""Remedies for faults of structure, which no other start of the weights would mend: calls that reach nothing, lost ties, hidden parameters."""

from __future__ import annotations

from collections.abc import Callable

from initcheck.fix.source.correcting import Desk, Patch
from initcheck.fix.source.files import Refusal
from initcheck.fix.source.model import Model
from initcheck.fix.source.structure.lost import in_place, last, matching
from initcheck.fix.source.structure.parts import registered, tied, unbiased, zeroed
from initcheck.records.finding import Finding

_REMEDIES: dict[str, Callable[[Finding, Model, Desk], Patch | None]] = {
    "init-discarded": in_place,
    "init-overwritten": last,
    "init-without-effect": matching,
    "bias-before-norm": unbiased,
    "untied-weights": tied,
    "unregistered-tensor": registered,
    "buffer-never-written": zeroed,
}

STRUCTURAL = frozenset({"init-discarded", "init-without-effect", "untied-weights", "unregistered-tensor", "buffer-never-written"})
"""Faults that lines elsewhere do not mend, because the line at fault would stay."""


def structural(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """The changes that mend a fault of structure; None where it is of another kind, or its lines have a form that is not understood."""
    remedy = _REMEDIES.get(finding.name)
    try:
        return remedy(finding, model, desk) if remedy is not None else None
    except Refusal:
        return None
