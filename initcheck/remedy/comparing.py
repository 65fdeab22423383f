"""A finding before and after a remedy, whether the source or the live model was changed."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.records.finding import Finding, rank
from initcheck.records.fixing import FixRow, State


def same(finding: Finding, others: Sequence[Finding]) -> Finding | None:
    """The gravest finding of the same rule about one of the same parameters, or about none at all."""
    alike = [
        other
        for other in others
        if other.code == finding.code and (set(other.parameters) & set(finding.parameters) or other.parameters == finding.parameters)
    ]
    return max(alike, key=lambda other: rank(other.severity), default=None)


def proof_row(finding: Finding, after: Sequence[Finding], silent: str = "no finding") -> FixRow:
    """One line of the proof; `silent` is said where nothing of the finding is left."""
    still = same(finding, after)
    said = (still.observed or still.message) if still is not None else silent
    state: State = "fixed" if still is None else "milder" if rank(still.severity) < rank(finding.severity) else "still there"
    return FixRow(finding.code, finding.name, finding.parameters, finding.observed or finding.message, said, state)
