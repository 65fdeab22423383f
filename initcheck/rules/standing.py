"""Whose start a parameter's value is: only what this model drew for itself, and will train, is an initialization."""

from __future__ import annotations

from initcheck.records.evidence import Evidence
from initcheck.records.fact import Unknown
from initcheck.records.finding import Finding
from initcheck.records.recording import LEFT_OUT

ELSEWHERE = ("loaded", "external")
STARTS = ("IC1", "IC2", "IC3", "IC4", "IC5", "IC6", "IC7")
"""Families that judge how training starts."""
FACTS = ("IC111", "IC305", "IC306", "IC307")
"""Rules that hold for trained weights as well: what is not finite, or was never written."""


def own_start(parameter: str, evidence: Evidence) -> bool:
    """Whether a parameter is trainable and was not filled from a file or from outside memory."""
    record = evidence.record(parameter)
    if record is None:
        return True
    ruling = record.ruling()
    return record.trainable and (ruling is None or ruling.origin not in ELSEWHERE)


def left_out(evidence: Evidence) -> frozenset[str]:
    """The parameters that trained weights belong in which were not loaded; what stands there is nobody's choice."""
    found: set[str] = set()
    for record in evidence.recording.parameters:
        ruling = record.ruling()
        if ruling is not None and ruling.call == Unknown(LEFT_OUT):
            found |= {record.name, *record.tied}
    return frozenset(found)


def trained(evidence: Evidence) -> frozenset[str]:
    """The parameters that hold what was loaded into them: nothing about them is a start."""
    arrived = {one.name for arrival in evidence.recording.arrivals for one in arrival.of("loaded", "changed")}
    return frozenset(arrived) | {name for record in evidence.recording.parameters if record.name in arrived for name in record.tied}


def about_trained(finding: Finding, weights: frozenset[str]) -> bool:
    """Whether a finding judges loaded weights as if they were an initialization: scale, scheme, symmetry, or the signal through them."""
    return (
        bool(finding.parameters)
        and finding.code.startswith(STARTS)
        and finding.code not in FACTS
        and weights.issuperset(finding.parameters)
    )


def stands(finding: Finding, absent: frozenset[str]) -> bool:
    """Whether a finding holds although some weights were left out: it is about others, and does not come from a measured run."""
    measured = finding.code.startswith("IC1")
    return not absent or not (measured or (bool(finding.parameters) and absent.issuperset(finding.parameters)))
