"""A load that the user asks for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.errors import ExitCode
from initcheck.records.arrival import STATES, Arrival, Arrived, random_share
from initcheck.records.finding import Failure, Severity, rank
from initcheck.records.report import ModelReport
from initcheck.records.verification import Verification


@dataclass(frozen=True, slots=True, repr=False)
class LoadReport:
    """The result of `initcheck.load`.

    `model` is the check of the model after the load. `strict`: whatever is missing, mismatched or unexpected counts. `written` is the file
    that the filled model went to, empty for none; `withheld` says why there is none although one was asked for. `trial` are trainings with
    and without the stored weights, where they were asked for; `untried` says why there are none.
    A report has no truth value: ask `report.ok`.
    """

    model: ModelReport
    arrival: Arrival
    strict: bool = False
    fail_on: Severity = "warning"
    written: str = ""
    withheld: str = ""
    trial: Verification | None = None
    untried: Failure | None = None

    @property
    def loaded(self) -> tuple[Arrived, ...]:
        """The tensors that hold the stored numbers."""
        return self.arrival.of("loaded")

    @property
    def missing(self) -> tuple[Arrived, ...]:
        """The model's tensors without a stored one."""
        return self.arrival.of("missing")

    @property
    def mismatched(self) -> tuple[Arrived, ...]:
        """The tensors whose stored one has another shape."""
        return self.arrival.of("mismatched")

    @property
    def unexpected(self) -> tuple[Arrived, ...]:
        """The stored tensors without a place in the model."""
        return self.arrival.of("unexpected")

    @property
    def random_share(self) -> float:
        """The share of the parameters' elements that stay random, from 0 to 1."""
        return random_share(self.arrival)

    @property
    def ok(self) -> bool:
        """Whether the weights arrived, and nothing that counts was found."""
        return self.exit_code == ExitCode.CLEAN

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that the command line gives for this report."""
        if self.untried is not None or any(failure.stage != "forward" for failure in self.model.failures):
            return ExitCode.INCOMPLETE
        if self.trial is not None and self.trial.unfinished:
            return ExitCode.INCOMPLETE
        found = any(rank(finding.severity) >= rank(self.fail_on) for finding in self.model.findings)
        worse = self.trial is not None and not self.trial.ok
        return ExitCode.FINDINGS if found or worse or self.violated else ExitCode.CLEAN

    @property
    def violated(self) -> bool:
        """Whether something did not fit although everything has to."""
        return self.strict and bool(self.missing or self.mismatched or self.unexpected or self.arrival.of("changed"))

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(found)} {state}" for state in STATES if (found := self.arrival.of(state)))
        return f"<LoadReport: {counts or 'no tensors'}, {100.0 * self.random_share:.1f} % stay random>"

    def __bool__(self) -> bool:
        raise TypeError("a LoadReport has no truth value; use `report.ok`")


def withheld(model: ModelReport, arrival: Arrival, *, strict: bool) -> str:
    """Why a filled model must not be written; empty when it may."""
    if not arrival.named:
        return "nothing was loaded"
    if strict and arrival.of("missing", "mismatched", "unexpected", "changed"):
        return "not everything fits, and --strict was given"
    grave = next((finding for finding in model.findings if finding.severity == "error" and finding.code.startswith("IC9")), None)
    return f"{grave.name}: {grave.message}" if grave is not None else ""
