"""The severity law: how far signal or gradient drifts along a chain without normalization, and what that costs.

Calibrated on 280 trainings of width 64 (ReLU, tanh, GELU, SELU, SiLU; SGD and Adam at their best learning rates): a drift below
3 nats costs at most the noise, 8 nats most of the accuracy under SGD, 13 nats everything. It brackets the trainable depth of six
length scales of Schoenholz et al. 2017, arXiv:1611.01232.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from initcheck.errors import NotKnown

DriftSeverity = Literal["ok", "warning", "error", "fatal"]
SignalSeverity = Literal["ok", "info", "warning", "error"]

HARMLESS, COSTLY, FATAL = 3.0, 8.0, 13.0
"""Drifts in nats of second moment: nothing lost below the first, most lost from the second, no training under SGD from the third."""

_ROOM = COSTLY - HARMLESS
_DEVIATIONS = 4.4
"""Standard deviations of a correct start's own drift that the floor leaves room for: one false alarm in 1e5."""
_WIDTH_VARIANCE = 5.0
"""Var(ln ||h_L||^2) of a He-initialized ReLU net is this times sum(1/n); Hanin & Rolnick 2018, arXiv:1803.01719."""
_DEPTH_CAP = 1_000_000


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of one chain, in nats of second moment; negative when signal or gradient vanishes.

    total: the sum of all hops. judged: without the dropped hop; the number that the severity is about.
    dropped_index: the hop that was left out, None for none. floor: the drift that the widths make unremarkable.
    """

    total: float
    judged: float
    dropped_index: int | None
    floor: float
    severity: DriftSeverity


def floor(widths: Sequence[int]) -> float:
    """The drift, in nats, that a correct start of these fan_ins may show by chance; never below 3."""
    spread = math.sqrt(_WIDTH_VARIANCE * sum(1.0 / max(width, 1) for width in widths))
    return max(HARMLESS, _DEVIATIONS * spread)


def drift(hops: Sequence[float], widths: Sequence[int]) -> Drift:
    """The drift of a chain and its severity.

    A vanishing chain is judged without its single most negative hop: one shrunken layer has a healthy gradient of its own and
    heals, while the same loss spread over all layers does not.

    Args:
        hops: ln of the second-moment ratio from each layer to the next, padding losses already removed.
        widths: fan_in of the weight at the end of each hop.

    Raises:
        NotKnown: when a hop is NaN, or infinite ones cancel.
    """
    allowance = floor(widths)
    total = sum(hops)
    if math.isnan(total):
        raise NotKnown("the signal is not a number somewhere in the chain")
    judged, dropped = total, None
    if total < 0.0:
        dropped = min(range(len(hops)), key=hops.__getitem__)
        # What remains may only be milder: without its shrunken layer a chain must not be blamed for exploding.
        judged = min(0.0, sum(hop for index, hop in enumerate(hops) if index != dropped))
    return Drift(total, judged, dropped, allowance, severity(judged, allowance))


def severity(judged: float, allowance: float = HARMLESS) -> DriftSeverity:
    """The verdict on a drift in nats, given the floor of its widths."""
    size = abs(judged)
    if size >= max(COSTLY, allowance + _ROOM):
        return "fatal" if size >= FATAL else "error"
    return "warning" if size >= allowance else "ok"


def costly_depth(ratio_per_layer: float) -> tuple[int, int]:
    """At how many weight layers a plain stack with this second-moment ratio per layer earns a warning and an error.

    The count is of all weight layers, head included, under this module's own law: L layers make L - 2 hops between hidden
    pre-activations, one fewer when the ratio is below 1. Counts above a million are cut off.

    Args:
        ratio_per_layer: second moment of a pre-activation over that of the one before it, positive.

    Raises:
        NotKnown: for a ratio that is not positive.
    """
    if not ratio_per_layer > 0.0:
        raise NotKnown(f"the ratio {ratio_per_layer!r} is not positive")
    step = abs(math.log(ratio_per_layer))
    spared = 3 if ratio_per_layer < 1.0 else 2
    return _layers(HARMLESS, step, spared), _layers(COSTLY, step, spared)


def sample_fraction_severity(fraction: float) -> SignalSeverity:
    """The verdict on the share of the last hidden second moment that differs between samples, in nets without normalization."""
    return "error" if fraction < 1e-4 else "warning" if fraction < 2e-2 else "ok"


def excess_loss_severity(excess: float) -> SignalSeverity:
    """The verdict on the initial cross-entropy above ln(classes), in nats."""
    if math.isnan(excess) or excess > 25.0:
        return "error"
    return "warning" if excess > 3.0 else "info" if excess >= 0.5 else "ok"


def mean_offset_index(mean: float, std: float, fan_in: int, rho0: float) -> float:
    """Relative second moment that a weight mean adds per layer: (mean / std)^2 * fan_in * rho0; infinite at std 0.

    Args:
        mean: mean of the weight.
        std: standard deviation of the weight.
        fan_in: fan_in as used.
        rho0: E[phi]^2 / E[phi^2] of what the weight multiplies.
    """
    if std == 0.0:
        return math.inf if mean else 0.0
    return (mean / std) ** 2 * fan_in * rho0


def mean_offset_severity(index: float, layers: int) -> SignalSeverity:
    """The verdict on a weight mean that `layers` successive layers share; normalization does not lift it."""
    load = index * layers
    return "error" if load > 5.0 else "warning" if load > 1.0 else "ok"


def _layers(limit: float, step: float, spared: int) -> int:
    if step * _DEPTH_CAP <= limit:
        return _DEPTH_CAP
    return min(_DEPTH_CAP, math.ceil(limit / step - 1e-9) + spared)
