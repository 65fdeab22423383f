"""What was found, what was skipped, what failed, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy as data: `call` applied to each of `parameters`; `title` is the help line.

    `safety` is `safe` (an argument corrected, or a default made explicit), `unsafe` (replaces what the author wrote) or `display`
    (nobody but the author can do it; the title says what).
    `call` names a function of `torch.nn.init`, or `mul_` with `factor`. It is applied to each of the `blocks` equal blocks of rows on
    its own (4 gates in an LSTM), or to the one with index `block` (the second of four: 1), the rest of the rows left as it is.
    """

    parameters: tuple[str, ...]
    call: InitCall | None
    safety: Literal["safe", "unsafe", "display"]
    title: str
    blocks: int = 1
    block: int | None = None


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
