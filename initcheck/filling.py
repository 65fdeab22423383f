"""What a target is filled with: opened and loaded once its model is built, and written when the result is sound."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from initcheck.pretrained.loading import load_into
from initcheck.pretrained.saving import save
from initcheck.pretrained.sources import opened_source
from initcheck.records.arrival import Arrival
from initcheck.records.loading import withheld
from initcheck.records.report import ModelReport
from initcheck.records.target import Fill


def filled(model: torch.nn.Module, fill: Fill | None, watch: AbstractContextManager[object], *, trusted: bool) -> tuple[Arrival, ...]:
    """Loads what is asked for, inside `watch`; nothing where nothing is.

    Raises:
        TargetError: when the source cannot be opened, or the model's code refuses.
    """
    if fill is None:
        return ()
    source = opened_source(fill.source, trusted=trusted)
    with watch:
        return (load_into(model, source, fill.renames),)


def written(model: torch.nn.Module, fill: Fill | None, report: ModelReport, arrivals: tuple[Arrival, ...]) -> None:
    """Writes the filled model into the file that waits for it, unless something grave was found.

    Raises:
        TargetError: when it cannot be written.
    """
    if fill is not None and fill.out and not withheld(report, arrivals[0], strict=fill.strict):
        save(model, fill.out, fill.format)
