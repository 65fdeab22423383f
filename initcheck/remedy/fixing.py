"""`initcheck fix`: the sources of a model rewritten where its weights are at fault, proven by building it anew, or put back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from initcheck.errors import InitcheckError
from initcheck.fix.plan import plan
from initcheck.fix.source.diff import change_of
from initcheck.fix.source.files import Files, refuse_conflict, root_of
from initcheck.fix.source.model import Model
from initcheck.fix.source.rewriting import ATTEMPTS, Draft, Key, Wishes, draft, key
from initcheck.fix.source.scheme import CODE, unmet
from initcheck.fix.writing import write
from initcheck.records.finding import Failure, Finding
from initcheck.records.report import ModelReport
from initcheck.records.rewriting import LeftAlone, Mended, Where
from initcheck.records.verification import Verification
from initcheck.remedy.comparing import same
from initcheck.remedy.proving import Objection, Pair, blamed, broken, harmed, later, persisting, row
from initcheck.report.verification import words

Check = Callable[[Mapping[str, bytes]], tuple[ModelReport, ...]]
"""Checks all targets, where these drafts stand for the files at their absolute paths."""

Trial = Callable[[Mapping[str, bytes], Mapping[str, bytes], Sequence[str]], Sequence[Verification | Failure]]
"""Trains the targets of these names, with the first drafts and with the second, and tells what came of each."""

ROUNDS = 60
"""So often a draft is made and checked."""

RESTARTS = 3
"""So often all begins anew without the remedies that did harm in the end."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    `paths` are the files named; `write` False leaves them as they are; `scheme`: all is started by the policy that the check was asked for.
    """

    paths: tuple[str, ...]
    unsafe: bool = False
    only: tuple[str, ...] = ()
    where: Where = "class"
    write: bool = True
    scheme: bool = False


@dataclass(slots=True)
class _Work:
    """The drafts so far, what they are for, and what was tried."""

    now: tuple[ModelReport, ...]
    texts: dict[str, bytes] = field(default_factory=dict)
    original: dict[str, bytes] = field(default_factory=dict)
    applied: list[Pair] = field(default_factory=list)
    tried: dict[Key, int] = field(default_factory=dict)
    reasons: dict[Key, Objection] = field(default_factory=dict)
    rejected: list[dict[str, bytes]] = field(default_factory=list)
    limit: int = 0
    declined: list[LeftAlone] = field(default_factory=list)


def mend(order: Order, check: Check, trial: Trial | None = None) -> Mended:
    """Rewrites the sources of the models that `check` looks at.

    Each draft is checked before anything is written: a model is built from it in a child process. A remedy whose finding stays, or that
    makes another appear, gives way to the next way of making it, and is left out when there is none. What holds is then tried in training,
    if there is a `trial`, and not written when a model trains worse with it. All files are written or none, and checked once more from the
    disk; if that says anything else, the old bytes come back.

    Raises:
        TargetError: when a file holds the markers of an unfinished merge, changed in the meantime or cannot be written.
        InitcheckError: when nothing that was named can be checked.
    """
    for path in order.paths:
        if Path(path).is_file():
            refuse_conflict(path, Path(path).read_bytes())
    began = max([time.time_ns(), *(Path(path).stat().st_mtime_ns for path in order.paths if Path(path).is_file())])
    before = check({})
    work = _Work(before)
    roots = _roots(order.paths, before)
    for _ in range(RESTARTS):
        for _ in range(ROUNDS):
            if not _round(work, order, Files(roots, work.texts, began), check):
                break
        if not _settled(work, before):
            break
    tried = _tried(work, trial) if trial is not None and work.texts else ()
    reason = next((f"{one.target}: {words.verdict(one)}" for one in tried if isinstance(one, Verification) and one.verdict == "WORSE"), "")
    if reason:
        work.now = before
    elif order.write and work.texts:
        reason = _written(work, before, check)
    done = _told(work, before, order, reason)
    trials = tuple(one for one in tried if isinstance(one, Verification))
    return replace(done, trials=trials, untried=tuple(one for one in tried if isinstance(one, Failure)))


def _tried(work: _Work, trial: Trial) -> tuple[Verification | Failure, ...]:
    """The models that a remedy touched, trained as they are and as they would be."""
    old = {path: work.original[path] for path in work.texts}
    return tuple(trial(old, work.texts, tuple(dict.fromkeys(report.target.spec for report, _ in work.applied))))


def _round(work: _Work, order: Order, files: Files, check: Check) -> bool:
    """Makes one draft and checks it; False when there is nothing left to do."""
    made = draft(work.now, files, Wishes(order.unsafe, order.only, order.where, work.tried, work.limit, order.scheme))
    work.declined = made.declined
    changed = {path: data for path, data in made.files.items() if data != files.source(path).data}
    if not made.applied or not changed:
        stuck = [pair for pair in made.applied if work.tried.get(key(*pair), 0) < ATTEMPTS]
        _bump(work, [Objection(*pair, "its edit changes nothing", tested=False) for pair in stuck])
        return bool(stuck)
    texts = work.texts | changed
    if texts in work.rejected:
        _bump(work, [work.reasons.get(key(*pair)) or Objection(*pair, "tried and taken back before") for pair in made.applied])
        return True
    after = _checked(check, texts)
    if len(made.applied) > 1 and (isinstance(after, str) or broken(work.now, after)):
        work.limit = 1  # one of them breaks the model; which one shows when each is tried alone
        return True
    objections = _objections(made, work, order, after)
    if objections or isinstance(after, str):
        work.rejected.append(texts)
        _bump(work, objections)
        return True
    for path in changed:
        work.original.setdefault(path, files.source(path).data)
    work.texts, work.now = texts, after
    work.applied += made.applied
    return True


def _checked(check: Check, texts: Mapping[str, bytes]) -> tuple[ModelReport, ...] | str:
    """The reports, or why the targets can no longer be checked at all."""
    try:
        return check(texts)
    except InitcheckError as error:
        return error.message


def _objections(made: Draft, work: _Work, order: Order, after: tuple[ModelReport, ...] | str) -> list[Objection]:
    """What speaks against a draft; a finding that shows only now, and has a remedy of its own, is left to the next round."""
    failure = after if isinstance(after, str) else broken(work.now, after)
    if failure:
        return [Objection(*pair, f"tried and taken back: the model then failed: {failure}") for pair in made.applied]
    assert not isinstance(after, str)
    found = persisting(made.applied, after) + (_unsettled(made.applied, after) if order.scheme else [])
    if found:
        return found
    for report, finding in harmed(made.applied, work.now, after):
        if not _treatable(finding, made.applied, order, after):
            found += blamed(made.applied, report, finding)
    return found


def _unsettled(applied: Sequence[Pair], after: Sequence[ModelReport]) -> list[Objection]:
    """What is still not started as the policy says."""
    found = []
    for report, finding in applied:
        now = later(report, after)
        left = {name for one in unmet(Model(now), unsafe=True) for name in one.parameters} if now is not None else set()
        if left & set(finding.parameters):
            found.append(Objection(report, finding, "tried and taken back: its lines do not have the last word"))
    return found


def _treatable(finding: Finding, applied: Sequence[Pair], order: Order, after: Sequence[ModelReport]) -> bool:
    """Whether a new finding lies where nothing was written, and the next round will treat it."""
    written = {name for _, one in applied if one.fix is not None for name in one.fix.touched}
    if order.scheme:
        return False
    planned = [one for report in after for one in plan(report, unsafe=order.unsafe, only=order.only).applied]
    return any(one is finding for one in planned) and not written & set(finding.parameters)


def _bump(work: _Work, objections: Sequence[Objection]) -> None:
    for one in objections:
        this = key(one.report, one.finding)
        work.tried[this] = work.tried.get(this, 0) + 1
        work.reasons[this] = one


def _settled(work: _Work, before: tuple[ModelReport, ...]) -> bool:
    """Starts anew without the remedies that left a new finding behind; False where none did."""
    harm = harmed(work.applied, before, work.now)
    if not harm:
        return False
    blame = [one for report, finding in harm for one in blamed(work.applied, report, finding)]
    _bump(work, blame)
    for one in blame:
        work.tried[key(one.report, one.finding)] = ATTEMPTS
    work.texts, work.applied, work.now = {}, [], before
    return True


def _written(work: _Work, before: tuple[ModelReport, ...], check: Check) -> str:
    """Writes the files and proves them from the disk; the reason why they were put back, empty when they stay."""
    old = {path: work.original[path] for path in work.texts}
    write(work.texts, old)
    try:
        after = _checked(check, {})
        failure = after if isinstance(after, str) else broken(before, after)
        if not failure and not isinstance(after, str):
            wrong = [one.reason for one in persisting(work.applied, after)]
            wrong += [f"{one.code} {one.name} appeared" for _, one in harmed(work.applied, before, after)]
            failure = wrong[0] if wrong else ""
            work.now = after
    except BaseException:
        write(old, work.texts)
        raise
    if failure:
        write(old, work.texts)
        work.now = before
    return failure


def _told(work: _Work, before: tuple[ModelReport, ...], order: Order, reason: str) -> Mended:
    held = not reason
    files = tuple(change_of(path, work.original[path], data) for path, data in work.texts.items()) if held else ()
    remaining = tuple(finding for report in work.now for finding in report.findings)
    missed = [one for this, one in work.reasons.items() if not any(key(*pair) == this for pair in work.applied)]
    missed = [one for one in missed if one.finding.code == CODE or same(one.finding, remaining) is not None]
    snippets = {key(report, left.finding): left.snippet for report in work.now for left in work.declined}
    tried = [(one.tested, LeftAlone(one.finding, one.reason, snippets.get(key(one.report, one.finding), ""))) for one in missed]
    failed = [left for tested, left in tried if tested]
    known = {id(one.finding) for one in missed}
    declined = [one for one in work.declined if id(one.finding) not in known and same(one.finding, remaining) is not None]
    declined += [left for tested, left in tried if not tested]
    return Mended(
        targets=tuple(report.target.spec for report in before),
        files=files,
        rows=tuple({(one.code, one.parameters): one for one in (row(pair, work.now) for pair in work.applied)}.values()) if held else (),
        failed=tuple(failed) if held else tuple(LeftAlone(finding, reason) for _, finding in work.applied),
        declined=tuple(declined),
        remaining=remaining,
        written=order.write and held and bool(files),
        restored=not held,
        reason=reason,
        failures=tuple(failure for report in before for failure in report.failures),
    )


def _roots(paths: Sequence[str], reports: Sequence[ModelReport]) -> list[Path]:
    """The projects of the files that were named; of a module that was named, the one that the command runs in."""
    named = [root_of(path) for path in paths if Path(path).exists()]
    return list(dict.fromkeys(named or ([root_of(str(Path.cwd()))] if reports else [])))
