"""What a fix did, or why it did nothing: plans, outcomes, and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from initcheck.records.finding import Failure, Finding, Step

State = Literal["fixed", "milder", "still there"]


@dataclass(frozen=True, slots=True)
class Declined:
    """A finding that was left alone, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The findings whose remedies go together, cause first, and those that were left alone. No parameter is written by two of them."""

    applied: tuple[Finding, ...] = ()
    declined: tuple[Declined, ...] = ()


@dataclass(frozen=True, slots=True)
class FixRow:
    """One line of the proof: what a finding said before and after."""

    code: str
    name: str
    parameters: tuple[str, ...]
    before: str
    after: str
    state: State


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter that could not be written, and why."""

    parameter: str
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class FixResult:
    """What `initcheck.fix` did to a model.

    rows: the proof, one line for each remedy that stands. applied: their findings. declined: what was left alone or taken back, with
    reasons. remaining: all that a check says afterwards. steps: the calls that were made, in order. written: parameters that hold other
    values now. untouched: number of parameters and buffers that were not to be written; digest: SHA-256 over their bytes, which did not
    change. restored: every byte was put back; reason: why. failures: what broke in the check afterwards, so that not everything was judged.
    """

    rows: tuple[FixRow, ...] = ()
    applied: tuple[Finding, ...] = ()
    declined: tuple[Declined, ...] = ()
    remaining: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    written: tuple[str, ...] = ()
    untouched: int = 0
    digest: str = ""
    restored: bool = False
    reason: str = ""
    seed: int = 0
    failures: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing broke, nothing had to be put back, and every remedy that was tried has healed its fault."""
        return not self.restored and not self.failures and all(row.state == "fixed" for row in self.rows)

    def __str__(self) -> str:
        return "\n".join((*self._head(), *self._proof(), *self._left(), *self._tail()))

    def __repr__(self) -> str:
        return f"<FixResult: {len(self.rows)} healed, {len(self.declined)} left alone, {len(self.remaining)} remaining>"

    def _head(self) -> list[str]:
        if self.restored:
            return [f"Nothing was changed: {self.reason}"]
        if not self.applied:
            return ["Nothing to apply."]
        tensors = len(self.written)
        return [f"Re-initialized {tensors} parameter{'s' if tensors != 1 else ''} and checked again:"]

    def _proof(self) -> list[str]:
        cells = [(f"{row.code} {row.name}", row.before, row.after, row.state) for row in self.rows]
        wide = [max((len(cell[column]) for cell in cells), default=0) for column in range(3)]
        return [
            "  " + "  ".join((*(text.ljust(width) for text, width in zip(cell, wide, strict=False)), cell[3])).rstrip() for cell in cells
        ]

    def _left(self) -> list[str]:
        lines = [f"  {one.finding.code} {one.finding.name}: {one.reason}" for one in self.declined]
        return ["Left alone:", *lines] if lines else []

    def _tail(self) -> list[str]:
        counts = f"{len(self.remaining)} finding{'s' if len(self.remaining) != 1 else ''} remain" + (
            "s." if len(self.remaining) == 1 else "."
        )
        same = f"{self.untouched} tensors untouched, SHA-256 {self.digest[:16]}… before and after." if self.digest else ""
        broken = [f"Not judged in full: {failure.message}" for failure in self.failures]
        return [text for text in (counts if self.applied or self.remaining else "", same, *broken) if text]


@dataclass(frozen=True, slots=True)
class CheckpointResult:
    """What `initcheck fix --checkpoint` did to a file of weights.

    `result` is the fix of the model, or of the bare tensors where no model was named. tensors: all in the file; changed: those that hold
    other values in `out`; digest: SHA-256 over the others, in the file that was read and again in the one that was written.
    """

    source: str
    out: str
    result: FixResult
    tensors: int
    changed: tuple[str, ...]
    digest: str

    def __str__(self) -> str:
        same = f"{self.tensors - len(self.changed)} of {self.tensors} tensors unchanged, SHA-256 {self.digest}"
        written = f"Wrote {self.out}." if self.changed else "Nothing was written."
        return f"{self.result}\n{written} {same}"


@dataclass(frozen=True, slots=True, repr=False)
class InitializeResult:
    """What `initcheck.initialize` did: `steps` were made, `left` was left as it was, with the reason.

    moments: second moments of the pre-activations after a data-dependent pass, by weight. notes: what else is to be said.
    """

    policy: str
    steps: tuple[Step, ...]
    left: tuple[Refused, ...] = ()
    moments: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    seed: int = 0

    @property
    def written(self) -> tuple[str, ...]:
        """The parameters that were started anew."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.parameters))

    def __str__(self) -> str:
        lines = [f"Initialized {len(self.written)} parameters by the policy {self.policy!r} (seed {self.seed})."]
        for step in self.steps:
            more = f" and {len(step.parameters) - 2} more" if len(step.parameters) > 2 else ""
            where = f" on block {step.block + 1} of {step.blocks}" if step.block is not None else f" on each of {step.blocks} blocks"
            lines.append(f"  {step.call}{where if step.blocks > 1 else ''}: {', '.join(step.parameters[:2])}{more}")
        if self.moments:
            values = [moment for _, moment in self.moments]
            lines.append(f"Second moments of {len(values)} pre-activations after the pass: {min(values):.3g} to {max(values):.3g}.")
        if self.left:
            lines += ["Left as they were:", *(f"  {one.parameter}: {one.reason}" for one in self.left)]
        return "\n".join((*lines, *self.notes))

    def __repr__(self) -> str:
        return f"<InitializeResult: {len(self.written)} parameters by {self.policy}, {len(self.left)} left>"
