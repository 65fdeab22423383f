"""What was found, what was skipped, what failed, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from initcheck.records.recording import InitCall
from initcheck.records.source import Location

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""All severities, mildest first."""


def rank(severity: Severity) -> int:
    """The position of a severity on the scale, 0 for info."""
    return SEVERITIES.index(severity)


def louder(first: Severity, second: Severity) -> Severity:
    """The graver of two severities."""
    return max(first, second, key=rank)


Safety = Literal["safe", "unsafe", "display"]
SAFETIES: tuple[Safety, ...] = ("safe", "unsafe", "display")
"""How far a remedy may be applied without asking, the freest first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call, applied to each of `parameters`, in whole or by blocks of rows.

    `call` names a function of `torch.nn.init`, or `mul_` with `factor`. It is applied to each of the `blocks` equal blocks of rows on
    its own (4 gates in an LSTM), or to the one with index `block` (the second of four: 1), the rest of the rows left as it is.
    """

    parameters: tuple[str, ...]
    call: InitCall
    blocks: int = 1
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy as data: `call` applied to each of `parameters` as in `Step`, then each of `further`; `title` is the help line.

    `safety` is `safe` (an argument corrected, or a default made explicit), `unsafe` (replaces what the author wrote) or `display`
    (nobody but the author can do it; the title says what).
    """

    parameters: tuple[str, ...]
    call: InitCall | None
    safety: Safety
    title: str
    blocks: int = 1
    block: int | None = None
    further: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that the remedy does, in order; nothing where only the author can do it."""
        if self.call is None or self.safety == "display":
            return ()
        return (Step(self.parameters, self.call, self.blocks, self.block), *self.further)

    @property
    def touched(self) -> tuple[str, ...]:
        """Every parameter that the remedy writes."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.parameters))


def remedy(steps: Iterable[Step], safety: Safety, title: str) -> Fix | None:
    """The fix that takes these steps; equal calls become one. None where there is none."""
    merged = _merged(steps)
    if not merged:
        return None
    first = merged[0]
    return Fix(first.parameters, first.call, safety, title, first.blocks, first.block, merged[1:])


def joined(fixes: Sequence[Fix]) -> Fix:
    """One fix for several findings that are told as one; the least free decides its safety."""
    safety = max((fix.safety for fix in fixes), key=SAFETIES.index)
    found = remedy((step for fix in fixes for step in fix.steps), safety, fixes[0].title) if safety != "display" else None
    names = tuple(dict.fromkeys(name for fix in fixes for name in fix.parameters))
    return found or replace(fixes[0], parameters=names, call=None, safety="display", further=())


def _merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The same writes in as few steps; those of one parameter keep their order."""
    groups: dict[tuple[InitCall, int, int | None, int], list[str]] = {}
    written: dict[str, int] = {}
    for step in steps:
        for name in step.parameters:
            key = (step.call, step.blocks, step.block, written.get(name, 0))
            names = groups.setdefault(key, [])
            if name not in names:
                names.append(name)
                written[name] = written.get(name, 0) + 1
    order = sorted(groups, key=lambda key: key[3])
    return tuple(Step(tuple(groups[key]), *key[:3]) for key in order)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault with one cause.

    `parameters` are full names in network order. `message` is one line without the code. `observed` and
    `expected` are short texts with numbers. `why` explains in a sentence or two. `note` stands behind the caret. `symptoms` are measured
    consequences that were folded into this finding.
    """

    code: str
    name: str
    severity: Severity
    parameters: tuple[str, ...]
    message: str
    observed: str = ""
    expected: str = ""
    location: Location | None = None
    fix: Fix | None = None
    why: str = ""
    note: str = ""
    symptoms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """Something that a rule could not judge, and why. `code` is empty when it concerns no single rule."""

    code: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that broke: `stage` (load, build, input, forward, backward, rule, worker), the user's own cause line, and a hint."""

    stage: str
    subject: str
    message: str
    hint: str = ""
    name: str = ""
