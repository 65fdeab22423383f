"""Whose start a parameter's value is: only what this model drew for itself, and will train, is an initialization."""

from __future__ import annotations

from initcheck.records.evidence import Evidence

ELSEWHERE = ("loaded", "external")


def own_start(parameter: str, evidence: Evidence) -> bool:
    """Whether a parameter is trainable and was not filled from a file or from outside memory."""
    record = evidence.record(parameter)
    if record is None:
        return True
    ruling = record.ruling()
    return record.trainable and (ruling is None or ruling.origin not in ELSEWHERE)
