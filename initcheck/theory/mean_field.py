"""Wide networks over depth: where the second moment settles, what the gradient does there, and how deep that trains.

Sources: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from initcheck.errors import NotKnown
from initcheck.theory.drift import HARMLESS, costly_depth
from initcheck.theory.functions.nonlinearities import Parameter, moments

_LOWEST, _HIGHEST = 1e-6, 1e6
_GRID = 120
_HALVINGS = 50
_NOISE = 1e-9
_UNUSUAL = 1000
"""A depth that no plain stack has."""
TRAINABLE_SCALES = 6.0
"""A stack trains up to about this many depth scales; Schoenholz et al. 2017."""


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A second moment q that a layer reproduces.

    slope: dq'/dq there; below 1 the map is drawn to it. chi_1: factor of the squared gradient per layer.
    depth_scale: layers over which the gradient changes by a factor e, infinite on the critical line.
    """

    q: float
    slope: float
    chi_1: float
    depth_scale: float


@dataclass(frozen=True, slots=True)
class Compounding:
    """What a second-moment ratio per layer costs in a plain stack of equal layers, counted in weight layers with the head.

    harmless: the deepest stack that it leaves alone; costs, fails: the depths from which it costs accuracy, and from which SGD fails.
    """

    ratio: float
    harmless: int
    costs: int
    fails: int

    def __str__(self) -> str:
        """The clause for users."""
        if self.costs >= _UNUSUAL:
            return "harmless at any usual depth"
        return f"harmless to depth {self.harmless}, costs accuracy from {self.costs}, fails from {self.fails}"


def length_map(role: str, weight_gain: float, bias_std: float, q: float, parameter: Parameter = None) -> float:
    """The next layer's second moment: weight_gain^2 E[phi(sqrt(q) z)^2] + bias_std^2.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    return weight_gain**2 * moments(role, q, parameter).square + bias_std**2


def chi_1(role: str, weight_gain: float, q: float, parameter: Parameter = None) -> float:
    """Factor of the squared gradient per layer at pre-activation second moment q: weight_gain^2 E[phi'(sqrt(q) z)^2].

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    return weight_gain**2 * moments(role, q, parameter).derivative_square


def depth_scale(chi: float) -> float:
    """Layers over which a factor `chi` per layer makes e; infinite for 1, 0 for 0."""
    step = abs(math.log(chi)) if chi > 0.0 else math.inf
    return 1.0 / step if step > 1e-12 else math.inf


def trainable_depth(chi: float) -> float:
    """The depth up to which a stack with this factor per layer is expected to train: six depth scales."""
    return TRAINABLE_SCALES * depth_scale(chi)


def tolerated_ratio(layers: int, drift: float = HARMLESS) -> tuple[float, float]:
    """The second-moment ratios per layer between which `layers` steps stay within a drift: exp(-drift / L) and exp(drift / L).

    Args:
        layers: steps between un-normalized layers, at least 1.
        drift: nats of second moment; `HARMLESS` and `COSTLY` of the severity law are 3 and 8.

    Raises:
        NotKnown: for fewer than one step.
    """
    if layers < 1:
        raise NotKnown("a ratio needs at least one step")
    return math.exp(-drift / layers), math.exp(drift / layers)


def compounding(ratio: float) -> Compounding:
    """How a second-moment ratio per layer adds up over depth, under the severity law.

    Raises:
        NotKnown: for a ratio that is not positive.
    """
    costs, fails = costly_depth(ratio)
    return Compounding(ratio, costs - 1, costs, fails)


def fixed_point(role: str, weight_gain: float, bias_std: float = 0.0, parameter: Parameter = None) -> FixedPoint | None:
    """The stable second moment in (1e-6, 1e6) that the length map settles at.

    Returns:
        None where the map dies out, grows without bound or reproduces every q (ReLU at gain sqrt 2).

    Raises:
        NotKnown: for an unknown role.
    """

    def excess(q: float) -> float:
        return length_map(role, weight_gain, bias_std, q, parameter) / q - 1.0

    step = math.log(_HIGHEST / _LOWEST) / _GRID
    growing: float | None = None
    for index in range(_GRID + 1):
        q = _LOWEST * math.exp(step * index)
        value = excess(q)
        # Only a fall through zero is stable: growth below it, decay above it. Rounding noise around zero is neutrality.
        if value > _NOISE:
            growing = q
        elif value < -_NOISE and growing is not None:
            return _at(role, weight_gain, bias_std, _bisect(excess, growing, q), parameter)
    return None


def critical_point(role: str, q: float, parameter: Parameter = None) -> tuple[float, float]:
    """Weight and bias variance (times fan_in, and as it is) at which q reproduces itself and the gradient keeps its size.

    Raises:
        NotKnown: for an unknown role, and where the bias variance would have to be negative (softplus everywhere, sigmoid below q = 48).
    """
    found = moments(role, q, parameter)
    weight = 1.0 / found.derivative_square
    bias = q - weight * found.square
    if bias < -1e-12 * q:
        raise NotKnown(f"{role} has no critical start at a second moment of {q:.3g}")
    return weight, max(bias, 0.0)


def _at(role: str, weight_gain: float, bias_std: float, q: float, parameter: Parameter) -> FixedPoint:
    step = 1e-4 * q
    rise = length_map(role, weight_gain, bias_std, q + step, parameter) - length_map(role, weight_gain, bias_std, q - step, parameter)
    chi = chi_1(role, weight_gain, q, parameter)
    return FixedPoint(q, rise / (2.0 * step), chi, depth_scale(chi))


def _bisect(excess: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return math.sqrt(low * high)
