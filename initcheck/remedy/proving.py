"""What two checks, one before a remedy and one after it, say about that remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.fix.source.scheme import CODE
from initcheck.records.finding import Finding, rank
from initcheck.records.fixing import FixRow
from initcheck.records.report import ModelReport
from initcheck.remedy.comparing import proof_row, same

Pair = tuple[ModelReport, Finding]
"""A finding and the report that it is of."""

LOST = "IC8"
"""Codes that begin so tell of calls that came to nothing; no remedy may leave one behind."""


@dataclass(frozen=True, slots=True)
class Objection:
    """A remedy that did not help or did harm, and how; `tested` is False where no check was needed to see that."""

    report: ModelReport
    finding: Finding
    reason: str
    tested: bool = True


def later(report: ModelReport, after: Sequence[ModelReport]) -> ModelReport | None:
    """The report of the same target in another check."""
    return next((one for one in after if one.target.spec == report.target.spec), None)


def persisting(applied: Sequence[Pair], after: Sequence[ModelReport]) -> list[Objection]:
    """The remedies whose findings are still said, as gravely as before."""
    found = []
    for report, finding in applied:
        now = later(report, after)
        still = same(finding, now.findings) if now is not None else None
        if still is not None and rank(still.severity) >= rank(finding.severity):
            found.append(Objection(report, finding, f"tried and taken back: {still.code} still says {still.observed or still.message}"))
    return found


def broken(before: Sequence[ModelReport], after: Sequence[ModelReport]) -> str:
    """What fails now and did not before; empty if nothing does."""
    for report in before:
        now = later(report, after)
        if now is None:
            return f"{report.target.spec} was no longer found"
        known = {failure.message for failure in report.failures}
        failure = next((one for one in now.failures if one.message not in known), None)
        if failure is not None:
            return failure.message
        if report.input is not None and now.input is None:
            return f"{report.target.spec} no longer ran"
    return ""


def harmed(applied: Sequence[Pair], before: Sequence[ModelReport], after: Sequence[ModelReport]) -> list[tuple[ModelReport, Finding]]:
    """Findings that are new or graver than before, by the report that they were not in; what takes the place of a graver one is neither."""
    found = []
    for report in before:
        now = later(report, after)
        gone = [one for other, one in applied if other.target.spec == report.target.spec]
        for finding in now.findings if now is not None else ():
            known = same(finding, report.findings)
            if known is not None and rank(known.severity) >= rank(finding.severity):
                continue
            milder = any(rank(one.severity) > rank(finding.severity) and set(one.parameters) & set(finding.parameters) for one in gone)
            if not milder or finding.code.startswith(LOST):
                found.append((report, finding))
    return found


def blamed(applied: Sequence[Pair], report: ModelReport, finding: Finding) -> list[Objection]:
    """The remedies that a new finding is laid to: those that touch its parameters, else all of the model, else all."""
    reason = f"tried and taken back: {finding.code} {finding.name} appeared or became worse ({finding.message})"
    own = [pair for pair in applied if pair[0].target.spec == report.target.spec]
    near = [pair for pair in own if set(finding.parameters) & touched(pair[1])]
    return [Objection(*pair, reason) for pair in near or own or applied]


def touched(finding: Finding) -> set[str]:
    """The parameters that a remedy is about."""
    return set(finding.parameters) | set(finding.fix.touched if finding.fix is not None else ())


def row(pair: Pair, after: Sequence[ModelReport]) -> FixRow:
    """One line of the proof."""
    report, finding = pair
    now = later(report, after)
    return proof_row(finding, now.findings if now is not None else (), "no new finding" if finding.code == CODE else "no finding")
