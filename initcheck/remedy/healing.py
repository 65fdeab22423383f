"""`initcheck.fix` and `initcheck.initialize`: live models re-initialized where they are at fault, or as a whole, with proof."""

from __future__ import annotations

from typing import Any

from torch import nn

from initcheck.construct.recording.provenance import unwatched
from initcheck.engine import examine, settings_of
from initcheck.errors import UsageError
from initcheck.fix.plan import plan
from initcheck.records.fixing import FixResult
from initcheck.records.recording import Recording
from initcheck.records.report import ModelReport, Report
from initcheck.records.target import Built, Target
from initcheck.remedy.checkpoints import heal_checkpoint
from initcheck.remedy.trying import healed

__all__ = ["fix", "heal_checkpoint"]


def fix(
    model: nn.Module,
    report: Report | ModelReport | None = None,
    *,
    unsafe: bool = False,
    inputs: object = None,
    seed: int = 0,
    only: str | tuple[str, ...] = (),
    **settings: Any,
) -> FixResult:
    """Re-initializes the parameters that a check has flagged by the recommended scheme, in place, and checks again.

    A remedy whose finding stays, or that makes another appear or grow worse, is taken back byte for byte. Neither the random state nor
    any other tensor changes.

    Args:
        model: the live model.
        report: of the function that built this model, which knows who wrote what; the values are looked at as they are now in any case.
        unsafe: also replace what the author wrote, and touch loaded, frozen and tied weights.
        inputs: a sample input, as for `initcheck.check`; synthesised when left out.
        seed: of the draws; every parameter is drawn from the seed and its name.
        only: codes or names of the rules whose findings are treated; all if empty.
        **settings: fields of `Settings`, as for `initcheck.check`.

    Returns:
        What was done, what was left alone and why, and what a check says afterwards; `print` it.

    Raises:
        UsageError: when the report is of another model or of several, or a setting is unknown.
        InitcheckError: when no input fits the model.
    """
    chosen = settings_of(settings | {"seed": seed})
    wanted = (only,) if isinstance(only, str) else tuple(only)
    name = type(model).__name__

    def recheck(recording: Recording) -> ModelReport:
        return examine(model, recording, Target(name, "", name, "module"), Built(name), inputs, chosen)

    # the values are looked at as they are now, so that an old report scales nothing twice; the report knows who wrote them
    told = _told(report, model) if report is not None else None
    before = recheck(told if told is not None else unwatched(model))
    return healed(model, before, lambda found: plan(found, unsafe=unsafe, only=wanted), recheck, seed)


def _told(report: Report | ModelReport, model: nn.Module) -> Recording | None:
    """Who wrote the parameters, as a report of this model knows it."""
    if isinstance(report, Report):
        if len(report.models) != 1:
            raise UsageError(f"the report is of {len(report.models)} models", "give the one of this model: fix(model, report.models[0])")
        report = report.models[0]
    if report.recording is None:
        return None
    names = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    missing = next((record.name for record in report.recording.parameters if record.name not in names), None)
    if missing is not None:
        raise UsageError(f"the report is of another model: it knows `{missing}`, which this one has not", "check this model: fix(model)")
    return report.recording
