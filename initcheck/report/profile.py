"""The signal and the gradient of a model through its depth, as two lines of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from initcheck.records.report import LayerSummary
from initcheck.report.sparkline import Axis, axis, sparkline
from initcheck.report.style import count, number

PLAIN_KINDS = ("linear", "conv", "conv_transpose", "bilinear", "matmul", "recurrent")
"""Kinds of layers whose pre-activation belongs to the profile; norms, tables and biases do not."""


def weighted(layers: Sequence[LayerSummary]) -> tuple[LayerSummary, ...]:
    """The layers that make up the profile, in network order."""
    return tuple(layer for layer in layers if layer.kind in PLAIN_KINDS)


def root(value: float | None) -> float | None:
    """The root mean square of a second moment."""
    return None if value is None else math.sqrt(value) if value >= 0 else math.nan


def profile(layers: Sequence[LayerSummary]) -> tuple[tuple[str, str], ...]:
    """`(label, text)` for signal and gradient; a label whose numbers are not known is left out."""
    chosen = weighted(layers)
    rows = (("signal", [root(layer.second_moment) for layer in chosen]), ("gradient", [root(layer.gradient) for layer in chosen]))
    return tuple((label, _row(values)) for label, values in rows if sum(value is not None for value in values) > 1)


def axes(layers: Sequence[LayerSummary]) -> tuple[Axis, Axis]:
    """The axes of the signal's and the gradient's bars."""
    chosen = weighted(layers)
    return axis([root(layer.second_moment) for layer in chosen]), axis([root(layer.gradient) for layer in chosen])


def _row(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    on = axis(values)
    first, last = known[0], known[-1]
    ends = (first, last)
    extremes = ""
    if min(known) < min(ends) / 2:
        extremes = f", lowest {number(min(known))}"
    elif max(known) > max(ends) * 2:
        extremes = f", highest {number(max(known))}"
    return f"{sparkline(values, on)}   rms {number(first)} → {number(last)}{extremes}, {count(len(known), 'layer')} ({on})"
