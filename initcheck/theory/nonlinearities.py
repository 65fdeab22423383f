"""Nonlinearities as curves over a Gaussian pre-activation: E[phi], E[phi^2], E[phi'^2] in plain floating point."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from initcheck.errors import NotKnown

Scalar = Callable[[float, float], float]

_ALIASES = {"identity": "linear", "threshold": "relu", "swish": "silu", "arctan": "atan", "logsigmoid": "log_sigmoid"}
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_TANH_GELU = math.sqrt(2.0 / math.pi)
_RRELU_LOWER, _RRELU_UPPER = 1.0 / 8.0, 1.0 / 3.0
_REACH = 10.0
"""Standard deviations that the quadrature covers; the Gaussian weighs 1e-23 beyond."""
_NODES = 12


@dataclass(frozen=True, slots=True)
class Moments:
    """What a nonlinearity makes of z ~ N(0, q): E[phi], E[phi^2], E[phi'^2]; dimensionless."""

    mean: float
    square: float
    derivative_square: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A nonlinearity phi(x, parameter), its derivative as torch defines it, and where it bends.

    default: the parameter that torch takes when none is given; NaN where there is none.
    kinks: the points at which phi or phi' jumps. sharp: the parameter multiplies x, so the curve narrows as it grows.
    closed: E[phi], E[phi^2], E[phi'^2] as functions of (q, parameter) where they have a closed form.
    """

    value: Scalar
    slope: Scalar
    default: float = math.nan
    kinks: Callable[[float], tuple[float, ...]] = lambda _: ()
    sharp: bool = False
    closed: Callable[[float, float], Moments] | None = None


def canonical(role: str) -> str:
    """The role word under which a curve is filed: `identity` is `linear`, `threshold` (at 0, torch's usual use) is `relu`."""
    return _ALIASES.get(role, role)


def known(role: str) -> bool:
    """Whether the moments of this nonlinearity can be computed."""
    return canonical(role) in CURVES


def curve(role: str) -> Curve:
    """The curve of a role word.

    Raises:
        NotKnown: for words that name no nonlinearity of one variable (`custom:…`, `softmax`, `layer_norm`).
    """
    found = CURVES.get(canonical(role))
    if found is None:
        raise NotKnown(f"the gain of `{role}` is not known")
    return found


@lru_cache(maxsize=4096)
def moments(role: str, q: float, parameter: float | None = None) -> Moments:
    """Moments under z ~ N(0, q): closed forms where they exist, else composite Gauss-Legendre (relative error below 1e-8).

    Args:
        role: a role word.
        q: second moment of the pre-activation.
        parameter: negative slope, alpha, beta, lambda or frequency; None or NaN is torch's default.

    Raises:
        NotKnown: for an unknown role, or a q that is not positive and finite.
    """
    shape = curve(role)
    if not (q > 0.0 and math.isfinite(q)):
        raise NotKnown(f"the second moment {q!r} is not a positive number")
    value = shape.default if parameter is None or math.isnan(parameter) else float(parameter)
    return shape.closed(q, value) if shape.closed else _integrate(shape, q, value)


def slope_at_zero(role: str, parameter: float | None = None) -> float:
    """phi'(0) as torch's autograd gives it (ReLU: 0).

    Raises:
        NotKnown: for an unknown role.
    """
    shape = curve(role)
    return shape.slope(0.0, shape.default if parameter is None else parameter)


def _integrate(shape: Curve, q: float, parameter: float) -> Moments:
    root = math.sqrt(q)
    mean = square = derivative = 0.0
    edges = _edges(shape.kinks(parameter), root, root * (max(1.0, abs(parameter)) if shape.sharp else 1.0))
    for low, high in pairwise(edges):
        half, middle = 0.5 * (high - low), 0.5 * (high + low)
        for node, weight in _legendre(_NODES):
            z = middle + half * node
            density = half * weight * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
            value, slope = shape.value(root * z, parameter), shape.slope(root * z, parameter)
            mean += density * value
            square += density * value * value
            derivative += density * slope * slope
    return Moments(mean, square, derivative)


def _edges(kinks: tuple[float, ...], root: float, steepness: float) -> list[float]:
    steps = {0.5 * index for index in range(int(2 * _REACH) + 1)}
    width = 0.25 / steepness
    # A steep curve changes within 1 / steepness of zero: panels that double in width resolve it at any q.
    while width < 0.5:
        steps.add(width)
        width *= 2.0
    bends = {kink / root for kink in kinks if abs(kink) < _REACH * root}
    return sorted(steps | {-step for step in steps} | bends)


@cache
def _legendre(count: int) -> tuple[tuple[float, float], ...]:
    """Nodes and weights of Gauss-Legendre quadrature on [-1, 1] by Newton's method on the Legendre recurrence."""
    pairs = []
    for index in range(count):
        x = math.cos(math.pi * (index + 0.75) / (count + 0.5))
        slope = 1.0
        for _ in range(20):
            previous, current = 1.0, x
            for degree in range(2, count + 1):
                previous, current = current, ((2 * degree - 1) * x * current - (degree - 1) * previous) / degree
            slope = count * (x * current - previous) / (x * x - 1.0)
            x -= current / slope
        pairs.append((x, 2.0 / ((1.0 - x * x) * slope * slope)))
    return tuple(pairs)


def _cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _sigmoid(x: float) -> float:
    small = math.exp(-abs(x))
    return 1.0 / (1.0 + small) if x >= 0 else small / (1.0 + small)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _exp(x: float) -> float:
    return math.exp(x) if x < 700.0 else math.inf


def _tanh_gelu(x: float) -> float:
    return math.tanh(_TANH_GELU * (x + 0.044715 * x**3))


def _tanh_gelu_slope(x: float) -> float:
    t = _tanh_gelu(x)
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * _TANH_GELU * (1.0 + 3.0 * 0.044715 * x * x)


def _silu_slope(x: float, beta: float) -> float:
    s = _sigmoid(beta * x)
    return s + beta * x * s * (1.0 - s)


def _mish_slope(x: float) -> float:
    t = math.tanh(_softplus(x))
    return t + x * (1.0 - t * t) * _sigmoid(x)


def _rectified(q: float, slope: float) -> Moments:
    share = 0.5 * (1.0 + slope * slope)
    return Moments((1.0 - slope) * math.sqrt(q / (2.0 * math.pi)), q * share, share)


def _random_rectified(q: float, _: float) -> Moments:
    low, high = _RRELU_LOWER, _RRELU_UPPER
    share = 0.5 * (1.0 + (high**3 - low**3) / (3.0 * (high - low)))
    return Moments((1.0 - 0.5 * (low + high)) * math.sqrt(q / (2.0 * math.pi)), q * share, share)


def _sine(q: float, frequency: float) -> Moments:
    fade = math.exp(-2.0 * frequency * frequency * q)
    return Moments(0.0, 0.5 * (1.0 - fade), 0.5 * frequency * frequency * (1.0 + fade))


def _cosine(q: float, frequency: float) -> Moments:
    fade = math.exp(-2.0 * frequency * frequency * q)
    return Moments(math.exp(-0.5 * frequency * frequency * q), 0.5 * (1.0 + fade), 0.5 * frequency * frequency * (1.0 - fade))


def _error_function(q: float, _: float) -> Moments:
    return Moments(0.0, 2.0 / math.pi * math.asin(2.0 * q / (1.0 + 2.0 * q)), 4.0 / math.pi / math.sqrt(1.0 + 4.0 * q))


def _leaky(default: float) -> Curve:
    return Curve(lambda x, a: x if x > 0 else a * x, lambda x, a: 1.0 if x > 0 else a, default, closed=_rectified)


def _swish(default: float) -> Curve:
    return Curve(lambda x, b: x * _sigmoid(b * x), _silu_slope, default, sharp=True)


CURVES: dict[str, Curve] = {
    "linear": Curve(lambda x, _: x, lambda *_: 1.0, closed=lambda q, _: Moments(0.0, q, 1.0)),
    "relu": Curve(lambda x, _: max(x, 0.0), lambda x, _: float(x > 0), closed=lambda q, _: _rectified(q, 0.0)),
    "leaky_relu": _leaky(0.01),
    "prelu": _leaky(0.25),
    "rrelu": Curve(lambda x, a: x if x > 0 else a * x, lambda x, a: 1.0 if x > 0 else a, 11.0 / 48.0, closed=_random_rectified),
    "relu6": Curve(lambda x, _: min(max(x, 0.0), 6.0), lambda x, _: float(0 < x < 6), kinks=lambda _: (0.0, 6.0)),
    "relu2": Curve(
        lambda x, _: max(x, 0.0) ** 2, lambda x, _: 2.0 * max(x, 0.0), closed=lambda q, _: Moments(q / 2.0, 1.5 * q * q, 2.0 * q)
    ),
    "elu": Curve(lambda x, a: x if x > 0 else a * math.expm1(x), lambda x, a: 1.0 if x > 0 else a * math.exp(x), 1.0),
    "celu": Curve(lambda x, a: x if x > 0 else a * math.expm1(x / a), lambda x, a: 1.0 if x > 0 else math.exp(x / a), 1.0),
    "selu": Curve(
        lambda x, _: _SELU_SCALE * (x if x > 0 else _SELU_ALPHA * math.expm1(x)),
        lambda x, _: _SELU_SCALE * (1.0 if x > 0 else _SELU_ALPHA * math.exp(x)),
    ),
    "gelu": Curve(lambda x, _: x * _cdf(x), lambda x, _: _cdf(x) + x * _density(x)),
    "gelu_tanh": Curve(lambda x, _: 0.5 * x * (1.0 + _tanh_gelu(x)), lambda x, _: _tanh_gelu_slope(x)),
    "quick_gelu": _swish(1.702),
    "silu": _swish(1.0),
    "mish": Curve(lambda x, _: x * math.tanh(_softplus(x)), lambda x, _: _mish_slope(x)),
    "hardswish": Curve(
        lambda x, _: x * min(max(x + 3.0, 0.0), 6.0) / 6.0,
        lambda x, _: 0.0 if x < -3 else 1.0 if x > 3 else x / 3.0 + 0.5,
        kinks=lambda _: (-3.0, 3.0),
    ),
    "softplus": Curve(lambda x, b: _softplus(b * x) / b, lambda x, b: _sigmoid(b * x), 1.0, sharp=True),
    "log_sigmoid": Curve(lambda x, _: -_softplus(-x), lambda x, _: _sigmoid(-x)),
    "sigmoid": Curve(lambda x, _: _sigmoid(x), lambda x, _: _sigmoid(x) * _sigmoid(-x)),
    "hardsigmoid": Curve(
        lambda x, _: min(max(x + 3.0, 0.0), 6.0) / 6.0, lambda x, _: 1.0 / 6.0 if -3 < x < 3 else 0.0, kinks=lambda _: (-3.0, 3.0)
    ),
    "tanh": Curve(lambda x, _: math.tanh(x), lambda x, _: 1.0 - math.tanh(x) ** 2),
    "hardtanh": Curve(lambda x, b: min(max(x, -b), b), lambda x, b: float(-b < x < b), 1.0, kinks=lambda b: (-b, b)),
    "softsign": Curve(lambda x, _: x / (1.0 + abs(x)), lambda x, _: (1.0 + abs(x)) ** -2),
    "atan": Curve(lambda x, _: math.atan(x), lambda x, _: 1.0 / (1.0 + x * x)),
    "erf": Curve(lambda x, _: math.erf(x), lambda x, _: 2.0 / math.sqrt(math.pi) * math.exp(-min(x * x, 700.0)), closed=_error_function),
    "sin": Curve(lambda x, w: math.sin(w * x), lambda x, w: w * math.cos(w * x), 1.0, closed=_sine),
    "cos": Curve(lambda x, w: math.cos(w * x), lambda x, w: -w * math.sin(w * x), 1.0, closed=_cosine),
    "tanhshrink": Curve(lambda x, _: x - math.tanh(x), lambda x, _: math.tanh(x) ** 2),
    "softshrink": Curve(lambda x, b: math.copysign(max(abs(x) - b, 0.0), x), lambda x, b: float(abs(x) > b), 0.5, kinks=lambda b: (-b, b)),
    "hardshrink": Curve(lambda x, b: x if abs(x) > b else 0.0, lambda x, b: float(abs(x) > b), 0.5, kinks=lambda b: (-b, b)),
    "abs": Curve(
        lambda x, _: abs(x), lambda x, _: float(x > 0) - float(x < 0), closed=lambda q, _: Moments(math.sqrt(2.0 * q / math.pi), q, 1.0)
    ),
    "square": Curve(lambda x, _: x * x, lambda x, _: 2.0 * x, closed=lambda q, _: Moments(q, 3.0 * q * q, 4.0 * q)),
    "exp": Curve(lambda x, _: _exp(x), lambda x, _: _exp(x), closed=lambda q, _: Moments(_exp(q / 2.0), _exp(2.0 * q), _exp(2.0 * q))),
}
"""Every nonlinearity whose moments are known, by role word."""
