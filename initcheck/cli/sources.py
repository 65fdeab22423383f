"""The part that mere reading has in a check: all of it with `--static`, and what is left of a target that cannot be built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.target import Target

UNREADABLE = "not-readable"
"""The failure of a target whose source does not say what the model is."""


def read_all(targets: Iterable[Target], settings: Settings, tell: Callable[[str], None] | None) -> list[ModelReport]:
    """What the sources of the targets say; `tell` takes word of those that say nothing, which are failures otherwise."""
    targets = tuple(targets)
    if not targets:
        return []
    from initcheck.source_only import check_source

    found = []
    for target in targets:
        report = check_source(target, settings)
        failure = report.failures[0] if report.failures else None
        if tell is not None and failure is not None and failure.name == UNREADABLE:
            tell(f"note: {failure.message}")
        else:
            found.append(report)
    return found


def supplemented(model: ModelReport, settings: Settings) -> ModelReport:
    """A target that could not be built is judged by its source, unless another way of loading was asked for."""
    if settings.loader != "auto" or not model.failures or model.checked:
        return model
    from initcheck.source_only import supplemented as with_source

    return with_source(model, settings)


def whole(target: Target) -> Target:
    """The same target with all of its file executed."""
    recipe = target.recipe
    if recipe is None:
        return target
    everything = dataclasses.replace(recipe, keep=tuple(range(recipe.statements)), skipped=(), unneeded=())
    return dataclasses.replace(target, recipe=everything, others=())
