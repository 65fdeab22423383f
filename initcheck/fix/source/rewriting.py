"""From the findings of a check to changes of its sources: every remedy whole or not at all, each refusal with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from initcheck.fix.plan import ALLOW, plan
from initcheck.fix.source.adding import Adder
from initcheck.fix.source.correcting import Corrector, Desk, Patch
from initcheck.fix.source.files import Files, real
from initcheck.fix.source.model import Model, by_parameter
from initcheck.fix.source.scheme import unmet
from initcheck.fix.source.snippets import snippet
from initcheck.fix.source.structure import STRUCTURAL, structural
from initcheck.records.finding import Finding, Step
from initcheck.records.fixing import Plan
from initcheck.records.report import ModelReport
from initcheck.records.rewriting import LeftAlone, Where

Key = tuple[str, str, tuple[str, ...]]
"""What tells a finding from others across checks: target, code, parameters."""

NO_WAY = "no edit of the source is known to be safe"
LATER = "another remedy changes the same lines; run the fix again"

WAYS = ("structure", "generous", "strict", "class", "outside", "")
"""The ways in which a remedy is made, one after the other: what is at fault in the structure; the line that wrote the weight, also where it
wrote a few others that nothing was said of; that line if it wrote nothing else; new lines in the class; new lines behind the model; none."""

ATTEMPTS = len(WAYS) - 1
"""So many ways there are."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What may be done.

    `tried` counts for each finding how many ways were tried and found wanting; `limit` findings at once, 0 for all; `scheme`: not the
    faults are mended, but all is started as the reports' policy would.
    """

    unsafe: bool = False
    only: tuple[str, ...] = ()
    where: Where = "class"
    tried: Mapping[Key, int] = field(default_factory=dict)
    limit: int = 0
    scheme: bool = False


@dataclass(slots=True)
class Draft:
    """The bytes of the files that would change, by absolute path, with the findings that this is for and those that were left alone."""

    files: dict[str, bytes]
    applied: list[tuple[ModelReport, Finding]]
    declined: list[LeftAlone]


@dataclass(slots=True)
class _Part:
    """One finding with what is done for it here and what is added elsewhere."""

    finding: Finding
    patch: Patch
    added: dict[str, list[Step]] = field(default_factory=dict)
    outside: bool = False


def key(report: ModelReport, finding: Finding) -> Key:
    """What tells a finding from others."""
    return report.target.spec, finding.code, finding.parameters


def draft(reports: Sequence[ModelReport], files: Files, wishes: Wishes) -> Draft:
    """One round of changes for the findings of these reports."""
    desk = Desk(files)
    done, declined = Patch(), list[LeftAlone]()
    applied: list[tuple[ModelReport, Finding]] = []
    for report in reports:
        if report.recording is None or not report.modules:
            continue
        rewriter = _Rewriter(report, desk, wishes)
        patch, parts = rewriter.patch(done, wishes.limit - len(applied) if wishes.limit else None)
        declined += rewriter.declined
        if parts:
            done.merge(patch)
            applied += [(report, part.finding) for part in parts]
    for path, names in desk.names.items():
        if done.changes.get(path):
            done.add(path, *names.imports(done.changes[path]))
    written = {real(path): files.source(path).replaced(changes) for path, changes in done.changes.items() if changes}
    return Draft(written, applied, declined)


class _Rewriter:
    """Rewrites the sources of one report."""

    def __init__(self, report: ModelReport, desk: Desk, wishes: Wishes) -> None:
        self.report = report
        self.desk = desk
        self.wishes = wishes
        self.model = Model(report)
        self.declined: list[LeftAlone] = []

    def patch(self, before: Patch, limit: int | None) -> tuple[Patch, list[_Part]]:
        """The changes for this report, which go together with those `before`, and what they are for."""
        if self.wishes.scheme:
            chosen = Plan(tuple(unmet(self.model, unsafe=self.wishes.unsafe)))
        else:
            chosen = plan(self.report, unsafe=self.wishes.unsafe, only=self.wishes.only)
        parts: list[_Part] = []
        touched: set[str] = set()
        for finding in self._structural(chosen.applied, [one.finding for one in chosen.declined]):
            changes = structural(finding, self.model, self.desk) if WAYS[self._tried(finding)] == "structure" else None
            if changes is not None:
                parts.append(_Part(finding, changes))
                touched |= set(finding.parameters)
        settled = {id(part.finding) for part in parts}
        todo = {name: steps for one in chosen.applied if one.fix is not None for name, steps in by_parameter(one.fix.steps).items()}
        corrector = Corrector(self.model, self.desk, todo)
        for finding in chosen.applied:
            if id(finding) in settled:
                continue
            if finding.name in STRUCTURAL:
                self._leave(finding, NO_WAY)
                continue
            if finding.fix is None or touched & set(finding.fix.touched):
                self._leave(finding, LATER)
                continue
            part = self._part(finding, corrector)
            if part is not None:
                parts.append(part)
        self.declined += [
            self._left(one.finding, one.reason.replace(ALLOW, "allow it with --unsafe-fixes"))
            for one in chosen.declined
            if id(one.finding) not in settled
        ]
        return self._together(parts, before, limit)

    def _structural(self, applied: Sequence[Finding], declined: Sequence[Finding]) -> list[Finding]:
        """The findings whose fault may be one of the structure: all that were asked for, where the author's own lines may be replaced."""
        return (
            [*applied, *(one for one in declined if one.name in STRUCTURAL or one.fix is None or not one.fix.steps)]
            if self.wishes.unsafe
            else []
        )

    def _tried(self, finding: Finding) -> int:
        return min(self.wishes.tried.get(key(self.report, finding), 0), ATTEMPTS)

    def _part(self, finding: Finding, corrector: Corrector) -> _Part | None:
        """The changes for one finding: at the lines that wrote its parameters, else in the class, else behind the model."""
        way = WAYS[self._tried(finding)]
        if not way or finding.fix is None:
            self._leave(finding, NO_WAY)
            return None
        part, idle = _Part(finding, Patch(), outside=way == "outside"), dict[str, list[Step]]()
        corrector.generous = self.wishes.unsafe and way in ("structure", "generous")
        for name, steps in by_parameter(finding.fix.steps).items():
            corrected = corrector.correct(name, steps) if way in ("structure", "generous", "strict") else None
            if corrected is not None and self._idle(corrected):
                idle[name] = steps  # the line says so already
            elif corrected is not None:
                part.patch.merge(corrected)
            else:
                part.added[name] = steps
        if not (part.patch.changes or part.added or self.wishes.scheme):
            part.added = idle  # and yet the fault is there: something else has the last word
        return part if part.patch.changes or part.added else None

    def _idle(self, patch: Patch) -> bool:
        """Whether a patch puts nothing in the place of anything but what stands there."""
        texts = [(self.desk.files.source(path).text, change) for path, changes in patch.changes.items() for change in changes]
        return all(text[change.start : change.end] == change.text for text, change in texts)

    def _together(self, parts: list[_Part], before: Patch, limit: int | None) -> tuple[Patch, list[_Part]]:
        """All parts whose changes fit together, the first ones first, so many at most."""
        while parts and limit != 0:
            chosen = parts[:limit]
            patch, failing, reason = self._joined(chosen, before)
            if failing is None:
                return patch, chosen
            parts = [part for part in parts if part is not failing]
            self._leave(failing.finding, reason)
        return Patch(), []

    def _joined(self, parts: list[_Part], before: Patch) -> tuple[Patch, _Part | None, str]:
        whole = Patch()
        whole.merge(before)
        for part in parts:
            whole.merge(part.patch)
            if not self._fits(whole):
                return whole, part, LATER
        adder = Adder(self.model, self.desk, self.wishes.where)
        for outside in (False, True):
            own = [part for part in parts if part.added and part.outside is outside]
            todo = {name: steps for part in own for name, steps in part.added.items()}
            if not todo:
                continue
            patch, missing = adder.add(todo, outside=outside)
            for part in own:
                reason = next((missing[name] for name in part.added if name in missing), None)
                if reason is not None:
                    return whole, part, reason
            whole.merge(patch)
            if not self._fits(whole):
                return whole, own[-1], LATER
        return whole, None, ""

    def _fits(self, patch: Patch) -> bool:
        """Whether changes go together and into their files."""
        try:
            for path, changes in patch.changes.items():
                source = self.desk.files.source(path)
                source.replaced([*changes, *self.desk.spelling(source).imports(changes)])
        except ValueError:
            return False
        return True

    def _leave(self, finding: Finding, reason: str) -> None:
        self.declined.append(self._left(finding, reason))

    def _left(self, finding: Finding, reason: str) -> LeftAlone:
        return LeftAlone(finding, reason, snippet(finding, self.model))
