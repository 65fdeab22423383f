"""Profiles through depth in one line of text, on a logarithmic axis that does not stretch itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BARS = "▁▂▃▄▅▆▇█"
MISSING = "·"
LOWEST, HIGHEST = -3, 1
"""The axis in powers of ten: a profile that stays within 0.001 … 10 is always drawn on it, so that 0.9 → 1.1 looks flat."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The ends of a logarithmic axis, in powers of ten."""

    low: int = LOWEST
    high: int = HIGHEST

    def __str__(self) -> str:
        return f"log axis {_power(self.low)} … {_power(self.high)}"


def axis(values: Sequence[float | None]) -> Axis:
    """The standard axis, extended by whole decades when a value lies outside of it."""
    logs = [math.log10(value) for value in values if value is not None and math.isfinite(value) and value > 0]
    if not logs:
        return Axis()
    return Axis(min(LOWEST, math.floor(min(logs))), max(HIGHEST, math.ceil(max(logs))))


def bar(value: float | None, on: Axis) -> str:
    """One bar; zero is the lowest, infinity the highest, what is not known a dot."""
    if value is None or math.isnan(value):
        return MISSING
    if value <= 0:
        return BARS[0]
    if math.isinf(value):
        return BARS[-1]
    share = (math.log10(value) - on.low) / (on.high - on.low)
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]


def sparkline(values: Sequence[float | None], on: Axis, most: int = 40) -> str:
    """One bar per value; of more than `most` values evenly spaced ones are shown, the first and last always."""
    if len(values) > most:
        values = [values[round(index * (len(values) - 1) / (most - 1))] for index in range(most)]
    return "".join(bar(value, on) for value in values)


def _power(exponent: int) -> str:
    return f"{10**exponent}" if 0 <= exponent <= 3 else f"{10.0**exponent:g}"
