"""Which remedies of a report go together: nothing twice, nothing that was not allowed, each refusal with its reason."""

from __future__ import annotations

from collections.abc import Iterable

from initcheck.records.finding import Finding
from initcheck.records.fixing import Declined, Plan
from initcheck.records.recording import ParameterRecord
from initcheck.records.report import ModelReport

BY_HAND = "only the author can mend it"
NO_REMEDY = "no remedy is known that does not need the author"
WAITS = "its factor has to be measured once"
ALLOW = "allow it with unsafe=True (--unsafe-fixes)"


def plan(report: ModelReport, *, unsafe: bool, only: tuple[str, ...] = ()) -> Plan:
    """Chooses the remedies to apply, in the order of the report (cause first).

    Args:
        report: of one model.
        unsafe: whether remedies may replace what the author wrote, and touch loaded, frozen and tied weights.
        only: codes, beginnings of codes or names of rules; all if empty. Findings of other rules are not mentioned in the plan.
    """
    applied: list[Finding] = []
    declined: list[Declined] = []
    taken: dict[str, Finding] = {}
    for finding in report.findings:
        if only and not any(finding.code.startswith(pattern.upper()) or finding.name == pattern for pattern in only):
            continue
        reason = _refusal(finding, report, unsafe=unsafe) or _conflict(finding, taken)
        if reason:
            declined.append(Declined(finding, reason))
            continue
        applied.append(finding)
        if finding.fix is not None:
            taken |= dict.fromkeys(finding.fix.touched, finding)
    now, waiting = _now_and_later(applied)
    return Plan(tuple(now), (*declined, *waiting))


def _now_and_later(applied: list[Finding]) -> tuple[list[Finding], list[Declined]]:
    """A factor was measured with every other fault in place, so it is looked at again when those are gone; of several, one at a time."""
    relative = [finding for finding in applied if _scales(finding)]
    first = [finding for finding in applied if finding not in relative] or relative[:1]
    waiting = [finding for finding in relative if finding not in first]
    return first, [
        Declined(finding, f"{WAITS} {first[0].code} {first[0].name} is healed; run the fix again if this stays") for finding in waiting
    ]


def _scales(finding: Finding) -> bool:
    return finding.fix is not None and any(step.call.name == "mul_" for step in finding.fix.steps)


def _refusal(finding: Finding, report: ModelReport, *, unsafe: bool) -> str:
    fix = finding.fix
    if fix is None:
        return NO_REMEDY
    if not fix.steps:
        return f"{BY_HAND}: {fix.title}"
    if unsafe:
        return ""
    if fix.safety != "safe":
        return f"it replaces what the author wrote; {ALLOW}"
    return next((reason for record in _records(fix.touched, report) if (reason := _standing(record))), "")


def _records(names: Iterable[str], report: ModelReport) -> list[ParameterRecord]:
    if report.recording is None:
        return []
    return [record for name in names if (record := report.recording.parameter(name)) is not None]


def _standing(record: ParameterRecord) -> str:
    """Why a parameter is not touched without leave."""
    ruling = record.ruling()
    if ruling is not None and ruling.origin in ("loaded", "external"):
        return f"`{record.name}` was loaded; {ALLOW}"
    if not record.trainable:
        return f"`{record.name}` is frozen, so it was probably trained elsewhere; {ALLOW}"
    if record.tied:
        return f"`{record.name}` is tied to `{record.tied[0]}` and would change in both places; {ALLOW}"
    return ""


def _conflict(finding: Finding, taken: dict[str, Finding]) -> str:
    fix = finding.fix
    clash = next((name for name in fix.touched if name in taken), None) if fix is not None else None
    if clash is None:
        return ""
    other = taken[clash]
    if fix is not None and other.fix is not None and fix.steps == other.fix.steps:
        return f"{other.code} {other.name} already makes the same change"
    return f"{other.code} {other.name} is graver and already changes `{clash}`; run the fix again if this stays"
