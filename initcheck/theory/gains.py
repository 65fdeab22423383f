"""Gains: the factor g in std = g / sqrt(fan_in) that a nonlinearity asks of the weights feeding it.

Sources: He et al. 2015, arXiv:1502.01852, section 2.2; Glorot & Bengio 2010; Klambauer et al. 2017, arXiv:1706.02515.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from initcheck.errors import NotKnown
from initcheck.theory.functions.nonlinearities import Moments, Parameter, canonical, filled, known, moments, moments_of, slope_at_zero

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
_STEP = 1e-4
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
        """The gain to initialize with; dimensionless.

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


def gain_facts(role: str, parameter: Parameter = None) -> GainFacts:
    """The facts of one nonlinearity.

    Args:
        role: a role word (`relu`, `gelu_tanh`, …).
        parameter: its hyper-parameters (negative slope, alpha, beta, lambda, frequency …); None, NaN or () is torch's default.

    Raises:
        NotKnown: for a role whose moments are not known.
    """
    return _named_facts(role, filled(role, parameter))


def facts_of(function: Callable[[float], float], slope: Callable[[float], float] | None = None, name: str = "custom") -> GainFacts:
    """The facts of any elementwise function, by quadrature through the function itself.

    Args:
        function: phi, from a number to a number.
        slope: phi'; a central difference where it is left out.
        name: what to call it.

    Raises:
        NotKnown: when its moments are not finite.
    """
    at_one = moments_of(function, 1.0, slope)
    above, below = (moments_of(function, 1.0 + step, slope).square for step in (_STEP, -_STEP))
    change = (above - below) / (2.0 * _STEP) / at_one.square
    forward = at_one.square**-0.5
    return _facts(name, at_one, change, None, "missing", (forward, _NARROW * forward, _WIDE * forward))


def required_gain(role: str, parameter: Parameter = None, square_ratio: float | None = None) -> float:
    """The gain that weights in front of a nonlinearity need.

    Args:
        role: a role word.
        parameter: its hyper-parameters.
        square_ratio: E[phi(z)^2] / E[z^2] as a run measured it; it speaks for functions that have no name.

    Raises:
        NotKnown: when nothing is known of the function, or no gain carries a signal through it.
    """
    if not known(role) and square_ratio:
        return float(square_ratio**-0.5)
    return gain_facts(role, parameter).recommended


def second_moment_ratio(role: str, q: float, parameter: Parameter = None) -> float:
    """E[phi(z)^2] / q for z ~ N(0, q): what one layer of gain 1 multiplies the second moment by.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    return moments(role, q, parameter).square / q


def derivative_square(role: str, q: float, parameter: Parameter = None) -> float:
    """E[phi'(z)^2] for z ~ N(0, q): what one layer of gain 1 multiplies the squared gradient by.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    return moments(role, q, parameter).derivative_square


def mean_fraction(role: str, q: float = 1.0, parameter: Parameter = None) -> float:
    """E[phi]^2 / E[phi^2], the share of the second moment that all inputs have in common.

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    found = moments(role, q, parameter)
    return found.mean**2 / found.square


def zero_gradient_at_zero(role: str, parameter: Parameter = None) -> bool:
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


@lru_cache(maxsize=256)
def _named_facts(role: str, parameters: tuple[float, ...]) -> GainFacts:
    name = canonical(role)
    # A central difference of E[phi^2] also sees the jumps (hardshrink) that E[z phi phi'] would miss.
    at_one = moments(name, 1.0, parameters)
    above, below = (moments(name, 1.0 + step, parameters).square for step in (_STEP, -_STEP))
    torch_gain = calculate_gain(name, parameters[0] if parameters else None)
    verdict: TorchVerdict = "missing" if torch_gain is None else "right" if name in _TORCH_RIGHT else "wrong"
    change = (above - below) / (2.0 * _STEP) / at_one.square
    return _facts(role, at_one, change, torch_gain, verdict, _accepted(name, parameters, at_one.square**-0.5))


def _facts(
    role: str,
    at_one: Moments,
    slope: float,
    torch_gain: float | None,
    verdict: TorchVerdict,
    band: tuple[float, float, float] | None,
) -> GainFacts:
    return GainFacts(
        role=role,
        mean=at_one.mean,
        square=at_one.square,
        derivative_square=at_one.derivative_square,
        forward_gain=at_one.square**-0.5,
        backward_gain=at_one.derivative_square**-0.5,
        slope=slope,
        fixed_point="neutral" if abs(slope - 1.0) < 1e-3 else "stable" if slope < 1.0 else "unstable",
        torch_gain=torch_gain,
        torch_verdict=verdict,
        band=band,
    )


def _accepted(role: str, parameters: tuple[float, ...], forward: float) -> tuple[float, float, float] | None:
    if role in _NO_REGIME:
        return None
    if role in _BANDS and parameters == filled(role):
        recommended, lowest, highest = _BANDS[role]
        return (forward if recommended is None else recommended, lowest, highest)
    return (forward, _NARROW * forward, _WIDE * forward)
