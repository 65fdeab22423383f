"""A model judged by its source alone: nothing is executed, torch is not needed, and what is not checked is said."""

from __future__ import annotations

import dataclasses

from initcheck.discover.static.facts.stated import evidence_of, parameters_of
from initcheck.discover.static.offers import readable
from initcheck.discover.static.reading import read
from initcheck.errors import InitcheckError
from initcheck.infer.summary import summarise
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Failure, Skip
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.source import Location
from initcheck.records.target import Built, Target
from initcheck.rules import rule_classes
from initcheck.rules.judge import judge, selected
from initcheck.source import notebook
from initcheck.source.cells import in_cells, told_in_cells

JUDGED = frozenset(
    {
        # which call draws which weight, and what the weight feeds
        *("IC201", "IC204", "IC205", "IC206", "IC504", "IC702"),
        # constants, copies, memory that nobody fills
        *("IC301", "IC302", "IC304", "IC305", "IC306", "IC307", "IC404", "IC406", "IC601", "IC602", "IC703", "IC807"),
        # torch's own start of recurrent layers
        *("IC501", "IC502"),
        # what a later line undoes, and what reaches nothing
        *("IC801", "IC802", "IC803", "IC804", "IC805", "IC806"),
    }
)
"""The rules that facts of the source suffice for; all others ask for numbers that only a run of the built model gives."""

UNBUILT = frozenset({"load", "build", "worker"})
"""The stages at which a target can fail before anything was judged."""

__all__ = ["JUDGED", "check_source", "readable", "supplemented"]


def check_source(target: Target, settings: Settings) -> ModelReport:
    """Judges a model by its source; a source that does not say what the model is becomes a failure of the report.

    Raises:
        UsageError: when `select` or `ignore` names no rule.
    """
    try:
        with told_in_cells(target.path):
            return in_cells(_judged(target, settings))
    except InitcheckError as error:
        return ModelReport(target, failures=(Failure("load", target.spec, error.message, error.hint, error.name),))
    except Exception as error:  # noqa: BLE001  (what the reader did not foresee is a bug to be told, and must not hide the other targets)
        message = f"initcheck itself failed on {target.spec}: {type(error).__name__}: {error}"
        return ModelReport(target, failures=(Failure("load", target.spec, message, "please report this with the file", "internal-error"),))


def supplemented(report: ModelReport, settings: Settings) -> ModelReport:
    """The report of a target that could not be built, with what its source says; any other report as it is."""
    failed = bool(report.failures) and all(failure.stage in UNBUILT for failure in report.failures)
    if not failed or report.checked or report.recording is not None or not report.target.path.endswith((".py", notebook.SUFFIX)):
        return report
    found = check_source(report.target, settings)
    if found.failures and not found.checked:
        return dataclasses.replace(report, skips=(*report.skips, *(Skip("", "", failure.message) for failure in found.failures)))
    return dataclasses.replace(found, failures=(*report.failures, *found.failures))


def _judged(target: Target, settings: Settings) -> ModelReport:
    found = read(target)
    evidence = evidence_of(target, found)
    asked = {cls.code for cls in selected(settings)}
    others = tuple(sorted({cls.code for cls in rule_classes()} - JUDGED))
    judgement = judge(evidence, dataclasses.replace(settings, ignore=(*settings.ignore, *others)))
    needing = len(asked - JUDGED)
    skips = [Skip("", "", note) for note in found.notes]
    if needing:
        skips.append(Skip("", "", f"static: {needing} of {len(asked)} rules need the built model"))
    return ModelReport(
        target=target,
        model=found.model.name,
        parameters=parameters_of(found),
        built=_built(target, found.model.created),
        findings=judgement.findings,
        skips=(*skips, *_unsettled(evidence), *judgement.skips),
        failures=judgement.failures,
        layers=summarise(evidence),
        recording=evidence.recording,
        checked=judgement.checked,
    )


def _built(target: Target, place: Location) -> Built:
    recipe = target.recipe
    expression = (
        recipe.expression if recipe is not None and recipe.expression and not target.arguments else f"{target.qualname}({target.arguments})"
    )
    location = Location(recipe.seen or target.path, recipe.line, recipe.column) if recipe is not None and recipe.line else place
    return Built(expression, location, source_only=True)


def _unsettled(evidence: Evidence) -> tuple[Skip, ...]:
    """The parameters whose values do not follow from the source."""
    known = {stats.parameter for stats in evidence.weights}
    return tuple(
        Skip("", record.name, "its values do not follow from the source alone")
        for record in evidence.recording.parameters
        if record.name not in known
    )
