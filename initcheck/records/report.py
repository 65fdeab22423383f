"""The result of a check: one entry per model, and what all of them add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.errors import ExitCode
from initcheck.records.evidence import Chain, Layer
from initcheck.records.finding import Failure, Finding, Severity, Skip, Step, rank
from initcheck.records.recording import Recording
from initcheck.records.target import Built, InputSummary, Target

SCHEMA = 1
"""Number of the JSON schema; raised when a field changes its meaning or goes away."""


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One row of the layer table, and what `Report.layers` gives out.

    All facts are plain: unknown numbers are None, unknown role sets are empty, and `unknown` says why.
    """

    name: str
    weight: str
    kind: str
    shape: tuple[int, ...]
    fan_in: int | None
    fan_out: int | None
    feeds: tuple[str, ...]
    fed_by: tuple[str, ...]
    scheme: str
    gain: float | None
    recommended_gain: float | None
    std: float | None
    second_moment: float | None
    gradient: float | None
    path: str = ""
    line: int = 0
    unknown: str = ""


STARTS = (
    "_init_weights",
    "init_weights",
    "_initialize_weights",
    "initialize_weights",
    "reset_parameters",
    "_reset_parameters",
    "weights_init",
)
"""Names that methods for the start of a module usually have."""


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """One module of the model, for those who have to find it in its source.

    path: as in `named_modules()`, empty for the model itself. kinds: names of its class and of the classes of torch.nn that this derives
    from, nearest first, `Module` left out. file, qualname: where its class is written, empty for torch's own. starts: names of methods by
    which modules like this one are usually started, as far as the class has them.
    """

    path: str
    kinds: tuple[str, ...]
    file: str = ""
    qualname: str = ""
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelReport:
    """All that is said of one model."""

    target: Target
    model: str = ""
    parameters: int = 0
    built: Built | None = None
    input: InputSummary | None = None
    findings: tuple[Finding, ...] = ()
    skips: tuple[Skip, ...] = ()
    failures: tuple[Failure, ...] = ()
    layers: tuple[LayerSummary, ...] = ()
    recording: Recording | None = None
    checked: tuple[str, ...] = ()
    """Codes of the rules that were asked."""
    modules: tuple[ModuleRecord, ...] = ()
    starts: tuple[Step, ...] = ()
    """How one policy would start every parameter; empty unless `Settings.scheme` asks for it."""


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """The result of `initcheck.check`.

    A report has no truth value: `if check(model)` would always pass. Ask `report.ok` or `report.findings`.
    """

    models: tuple[ModelReport, ...]
    version: str = ""
    torch: str = ""
    seed: int = 0
    fail_on: Severity = "warning"
    failures: tuple[Failure, ...] = ()
    schema: int = SCHEMA

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all models, cause first within each model."""
        return tuple(finding for model in self.models for finding in model.findings)

    @property
    def layers(self) -> tuple[LayerSummary, ...]:
        """The layers of all models."""
        return tuple(layer for model in self.models for layer in model.layers)

    @property
    def skips(self) -> tuple[Skip, ...]:
        """What was not judged, of all models."""
        return tuple(skip for model in self.models for skip in model.skips)

    @property
    def all_failures(self) -> tuple[Failure, ...]:
        """What broke, in general and in each model."""
        return self.failures + tuple(failure for model in self.models for failure in model.failures)

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of this severity or worse."""
        return tuple(finding for finding in self.findings if rank(finding.severity) >= rank(severity))

    @property
    def ok(self) -> bool:
        """Whether something was checked, nothing broke and no finding reaches `fail_on`."""
        return self.exit_code == ExitCode.CLEAN

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that the command line gives for this report."""
        if self.all_failures:
            return ExitCode.INCOMPLETE
        if not self.models:
            return ExitCode.NOTHING_CHECKED
        return ExitCode.FINDINGS if self.at_least(self.fail_on) else ExitCode.CLEAN

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __bool__(self) -> bool:
        raise TypeError("a Report has no truth value; use `report.ok` (clean?) or `report.findings`")

    def __repr__(self) -> str:
        counts = {level: sum(f.severity == level for f in self.findings) for level in ("error", "warning", "info")}
        said = ", ".join(f"{count} {level}{'s' if count != 1 and level != 'info' else ''}" for level, count in counts.items() if count)
        return f"<Report: {len(self.models)} model{'s' if len(self.models) != 1 else ''}, {said or 'no findings'}>"

    def _repr_html_(self) -> str:
        from initcheck.report.notebook import render

        return render(self)


__all__ = ["SCHEMA", "Chain", "Layer", "LayerSummary", "ModelReport", "ModuleRecord", "Report"]
