"""The proof of a remedy: remedies put into a live model, checked again, and those taken back that did not help."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from torch import nn

from initcheck.fix.module.applying import Applied, apply, untouched
from initcheck.fix.plan import WAITS
from initcheck.records.fact import Known, Unknown
from initcheck.records.finding import Finding, Step, rank
from initcheck.records.fixing import Declined, FixResult, Plan
from initcheck.records.recording import ParameterRecord, Recording, Write
from initcheck.records.report import ModelReport
from initcheck.remedy.comparing import proof_row, same

Recheck = Callable[[Recording], ModelReport]
"""Checks the model again, as it is now, with this provenance."""

Allow = Callable[[ModelReport], Plan]
"""Says which remedies of a report may be applied."""

_ROUNDS = 40
_PLACE = "initcheck drew it"


def healed(model: nn.Module, before: ModelReport, allow: Allow, recheck: Recheck, seed: int) -> FixResult:
    """Applies the remedies that are allowed, checks again, and takes back what did not heal its finding or made something else worse.

    A fault that only shows once another is healed, at a parameter that nothing has touched, is treated along with it. Every parameter is
    drawn from the seed and its own name, so that leaving one remedy out changes no other.
    """
    plan = allow(before)
    chosen, declined, reason = list(plan.applied), list(plan.declined), ""
    for _ in range(_ROUNDS):
        chosen, declined = _with_next(chosen, declined)
        if not chosen:
            break
        done = apply(model, [step for finding in chosen for step in _steps(finding)], seed)
        refused = _refused(chosen, done)
        if refused:
            done.restore()
            reason = refused[0].reason
            chosen, declined = _without(chosen, refused), declined + refused
            continue
        after = recheck(rewritten(before.recording, done))
        uncovered = _uncovered(chosen, declined, before, allow(after))
        if uncovered:
            done.restore()
            chosen, declined = chosen + uncovered, [one for one in declined if same(one.finding, uncovered) is None]
            continue
        failing = _failing(chosen, before, after)
        if not failing:
            return _result(model, after, chosen, declined, done, seed)
        done.restore()
        reason = failing[0].reason
        chosen, declined = _without(chosen, failing), declined + failing
    else:
        reason = f"no set of remedies settled within {_ROUNDS} rounds"
        declined += [Declined(finding, reason) for finding in chosen]
    restored = bool(plan.applied)
    return FixResult(
        declined=tuple(declined), remaining=before.findings, restored=restored, reason=reason, seed=seed, failures=before.failures
    )


def rewritten(recording: Recording | None, done: Applied) -> Recording:
    """The provenance after the steps: each written parameter has them as its last writes, and what was said of earlier ones is settled."""
    if recording is None:
        return Recording((), watched=False)
    names = set(done.written)

    def touched(name: str) -> bool:
        record = recording.parameter(name)
        return name in names or (record is not None and bool(names & {record.name, *record.tied}))

    parameters = tuple(_record(record, done.steps) if touched(record.name) else record for record in recording.parameters)
    return dataclasses.replace(
        recording,
        parameters=parameters,
        undone=tuple(one for one in recording.undone if not touched(one.parameter)),
        discarded=tuple(one for one in recording.discarded if not touched(one.parameter)),
        applied=tuple(
            one for one in recording.applied if not any(name.startswith(f"{one.module}." if one.module else "") for name in names)
        ),
        notes=tuple(note for note in recording.notes if note.partition(":")[0] not in names),
    )


def _record(record: ParameterRecord, steps: Sequence[Step]) -> ParameterRecord:
    """A whole write starts anew; a rescaling or a block comes on top of what was there."""
    own = [step for step in steps if {record.name, *record.tied} & set(step.parameters)]
    writes = [write for write in record.writes if write.extent == "full" or not any(_whole(step) for step in own)]
    for step in own:
        extent = "full" if _whole(step) else "partial"
        # a call on each block is not the call on the whole tensor, whose fans it would be read with
        call = Known(step.call) if step.blocks == 1 else Unknown(f"`{step.call.name}` was made on each of {step.blocks} blocks")
        writes.append(Write(record.name, call, Unknown(_PLACE), "user", "full" if extent == "full" else "partial", (step.call,)))
    return dataclasses.replace(record, writes=tuple(writes), unwritten=0)


def _whole(step: Step) -> bool:
    return step.block is None and step.call.name not in ("mul_", "zero_row_")


def _steps(finding: Finding) -> tuple[Step, ...]:
    return finding.fix.steps if finding.fix is not None else ()


def _refused(chosen: Sequence[Finding], done: Applied) -> list[Declined]:
    """The findings none of whose parameters could be written, or only some: half a remedy is none."""
    reasons = {one.parameter: one.reason for one in done.refused}
    found = []
    for finding in chosen:
        name = next((name for step in _steps(finding) for name in step.parameters if name in reasons), None)
        if name is not None:
            found.append(Declined(finding, f"`{name}`: {reasons[name]}"))
    return found


def _with_next(chosen: list[Finding], declined: list[Declined]) -> tuple[list[Finding], list[Declined]]:
    """Where nothing else is left to try, the first of the remedies that had to wait for the others."""
    waiting = next((one for one in declined if one.reason.startswith(WAITS)), None)
    if chosen or waiting is None:
        return chosen, declined
    return [waiting.finding], [one for one in declined if one is not waiting]


def _uncovered(chosen: Sequence[Finding], declined: Sequence[Declined], before: ModelReport, then: Plan) -> list[Finding]:
    """Remedies for what was not said before, or had to wait, and lies where nothing was written; not those that were tried already."""
    touched = {name for finding in chosen for step in _steps(finding) for name in step.parameters}
    waiting = [one.finding for one in declined if one.reason.startswith(WAITS)]
    tried = [one.finding for one in declined if not one.reason.startswith(WAITS)]
    return [
        finding
        for finding in then.applied
        if finding.fix is not None
        and not touched & set(finding.fix.touched)
        and (same(finding, before.findings) is None or same(finding, waiting) is not None)
        and same(finding, tried) is None
        and same(finding, chosen) is None
    ]


def _failing(chosen: Sequence[Finding], before: ModelReport, after: ModelReport) -> list[Declined]:
    """The remedies to take back: those whose finding is still there, and those that touch what is new or worse; all if none does."""
    found: dict[int, Declined] = {}
    for finding in chosen:
        still = same(finding, after.findings)
        if still is not None and rank(still.severity) >= rank(finding.severity):
            found[id(finding)] = Declined(finding, f"tried and taken back: {still.code} still says {still.observed or still.message}")
    if found:
        return list(found.values())
    broke = next((failure.message for failure in after.failures if failure.message not in {one.message for one in before.failures}), None)
    if broke is not None:
        return [Declined(finding, f"tried and taken back: the model then failed: {broke}") for finding in chosen]
    for other in after.findings:
        known = same(other, before.findings)
        if known is not None and rank(known.severity) >= rank(other.severity):
            continue
        reason = f"tried and taken back: {other.code} {other.name} {'became worse' if known is not None else 'appeared'} ({other.message})"
        near = [finding for finding in chosen if finding.fix is not None and set(finding.fix.touched) & set(other.parameters)]
        found |= {id(finding): Declined(finding, reason) for finding in near or chosen}
    return list(found.values())


def _without(chosen: Sequence[Finding], declined: Sequence[Declined]) -> list[Finding]:
    gone = {id(one.finding) for one in declined}
    return [finding for finding in chosen if id(finding) not in gone]


def _result(
    model: nn.Module,
    after: ModelReport,
    chosen: Sequence[Finding],
    declined: Sequence[Declined],
    done: Applied,
    seed: int,
) -> FixResult:
    count, digest = untouched(model, done.slots.values())
    gone = [one.finding for one in declined if same(one.finding, after.findings) is None]
    return FixResult(
        rows=tuple(proof_row(finding, after.findings) for finding in (*chosen, *gone)),
        applied=tuple(chosen),
        declined=tuple(one for one in declined if one.finding not in gone),
        remaining=after.findings,
        steps=tuple(done.steps),
        written=done.written,
        untouched=count,
        digest=digest,
        seed=seed,
        failures=after.failures,
    )


__all__ = ["Allow", "Recheck", "healed", "rewritten"]
