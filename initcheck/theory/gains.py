"""Gains: the factor g in std = g / sqrt(fan_in) that a nonlinearity asks of the weights feeding it.

Sources: He et al. 2015, arXiv:1502.01852, eq. 10 and 14; Glorot & Bengio 2010; Klambauer et al. 2017, arXiv:1706.02515.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from initcheck.errors import NotKnown
from initcheck.theory.nonlinearities import canonical, curve, moments, slope_at_zero

FixedPoint = Literal["neutral", "stable", "unstable"]
TorchVerdict = Literal["right", "wrong", "missing"]

_NARROW, _WIDE = 0.88, 1.13
"""Accepted factor around the exact gain where depth multiplies every error: a quarter of the second moment per layer."""

_BANDS: dict[str, tuple[float | None, float, float]] = {
    # recommended (None: the forward gain), lowest and highest gain that trains as well, at torch's default parameter
    "elu": (None, 1.0, 1.4143),
    "celu": (None, 1.0, 1.4143),
    "selu": (1.0, 0.75, 1.1),
    "gelu": (None, 1.4142, 1.6),
    "gelu_tanh": (None, 1.4142, 1.6),
    "quick_gelu": (None, 1.4142, 1.6),
    "silu": (None, 1.4142, 1.75),
    "mish": (None, 1.4142, 1.6),
    "hardswish": (None, 1.4142, 1.8),
    "softplus": (1.8462, 1.0, 2.0),
    "log_sigmoid": (1.8462, 1.0, 2.0),
    "softsign": (1.0, 0.9, 2.3375),
    "tanh": (1.0, 0.9, 1.6667),
    "sigmoid": (4.0, 1.0, 6.0),
    "hardtanh": (1.0, 0.9, 1.392),
    "hardsigmoid": (6.0, 1.0, 7.0),
    "relu6": (None, 1.38, 1.46),
    "sin": (1.0, 0.9, 1.5209),
    "cos": (None, 1.0, 1.6),
    "relu2": (None, 0.75, 0.9),
    "erf": (0.8862, 0.8, 1.4672),
    "atan": (1.0, 0.9, 1.4912),
}
_NO_REGIME = frozenset({"tanhshrink", "softshrink", "hardshrink"})
_TORCH_RIGHT = frozenset({"linear", "relu", "leaky_relu"})


@dataclass(frozen=True, slots=True)
class GainFacts:
    """What is known of a nonlinearity at pre-activation second moment q = 1; dimensionless throughout.

    mean, square, derivative_square: E[phi], E[phi^2], E[phi'^2].
    forward_gain, backward_gain: 1/sqrt(E[phi^2]) and 1/sqrt(E[phi'^2]), which keep the signal and the gradient.
    slope: dV/dq at q = 1 of the length map under the forward gain; below 1 an error in q heals over depth, above 1 it grows.
    torch_gain: what `torch.nn.init.calculate_gain` answers, None where it raises.
    """

    role: str
    mean: float
    square: float
    derivative_square: float
    forward_gain: float
    backward_gain: float
    slope: float
    fixed_point: FixedPoint
    torch_gain: float | None
    torch_verdict: TorchVerdict
    band: tuple[float, float, float] | None

    @property
    def recommended(self) -> float:
        """The gain to initialize with.

        Raises:
            NotKnown: where no gain carries a signal over depth (the shrink family: phi'(0) = 0).
        """
        return self._band()[0]

    @property
    def lowest(self) -> float:
        """The smallest gain that trains as well as the recommended one; raises `NotKnown` as `recommended` does."""
        return self._band()[1]

    @property
    def highest(self) -> float:
        """The largest gain that trains as well as the recommended one; raises `NotKnown` as `recommended` does."""
        return self._band()[2]

    def _band(self) -> tuple[float, float, float]:
        if self.band is None:
            raise NotKnown(f"no gain carries a signal through {self.role} over depth; it needs a normalization layer")
        return self.band


@lru_cache(maxsize=256)
def gain_facts(role: str, parameter: float | None = None) -> GainFacts:
    """The facts of one nonlinearity.

    Args:
        role: a role word (`relu`, `gelu_tanh`, …).
        parameter: its hyper-parameter (negative slope, alpha, beta, lambda, frequency); None or NaN is torch's default.

    Raises:
        NotKnown: for a role whose moments are not known.
    """
    name = canonical(role)
    given = None if parameter is None or math.isnan(parameter) else parameter
    at_one = moments(name, 1.0, given)
    forward = 1.0 / math.sqrt(at_one.square)
    backward = 1.0 / math.sqrt(at_one.derivative_square)
    slope = _slope(name, given)
    torch_gain = calculate_gain(name, given)
    return GainFacts(
        role=role,
        mean=at_one.mean,
        square=at_one.square,
        derivative_square=at_one.derivative_square,
        forward_gain=forward,
        backward_gain=backward,
        slope=slope,
        fixed_point="neutral" if abs(slope - 1.0) < 1e-3 else "stable" if slope < 1.0 else "unstable",
        torch_gain=torch_gain,
        torch_verdict="missing" if torch_gain is None else "right" if name in _TORCH_RIGHT else "wrong",
        band=_accepted(name, given, forward),
    )


def second_moment_ratio(role: str, q: float, parameter: float | None = None) -> float:
    """E[phi(z)^2] / q for z ~ N(0, q): what one layer of gain 1 multiplies the second moment by.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    return moments(role, q, parameter).square / q


def derivative_square(role: str, q: float, parameter: float | None = None) -> float:
    """E[phi'(z)^2] for z ~ N(0, q): what one layer of gain 1 multiplies the squared gradient by.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    return moments(role, q, parameter).derivative_square


def mean_fraction(role: str, q: float = 1.0, parameter: float | None = None) -> float:
    """E[phi]^2 / E[phi^2], the share of the second moment that all inputs have in common.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    found = moments(role, q, parameter)
    return found.mean**2 / found.square


def zero_gradient_at_zero(role: str, parameter: float | None = None) -> bool:
    """Whether phi'(0) = 0 in torch, so that a layer of zeros in front of it stays zero for ever.

    Raises:
        NotKnown: for an unknown role.
    """
    return slope_at_zero(role, parameter) == 0.0


def calculate_gain(nonlinearity: str, parameter: float | None = None) -> float | None:
    """What `torch.nn.init.calculate_gain` returns; None where it raises."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if parameter is None else parameter
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity.startswith(("conv1d", "conv2d", "conv3d", "conv_transpose")):
        return 1.0
    return {"linear": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75}.get(nonlinearity)


def _slope(role: str, parameter: float | None) -> float:
    # A central difference of E[phi^2] also sees the jumps (hardshrink) that E[z phi phi'] would miss.
    step = 1e-4
    above, below = moments(role, 1.0 + step, parameter).square, moments(role, 1.0 - step, parameter).square
    return (above - below) / (2.0 * step) / moments(role, 1.0, parameter).square


def _accepted(role: str, parameter: float | None, forward: float) -> tuple[float, float, float] | None:
    if role in _NO_REGIME:
        return None
    usual = parameter is None or parameter == curve(role).default
    if usual and role in _BANDS:
        recommended, lowest, highest = _BANDS[role]
        return (forward if recommended is None else recommended, lowest, highest)
    return (forward, _NARROW * forward, _WIDE * forward)
