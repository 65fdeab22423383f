"""THE table of nonlinearities: each as a curve with its derivative, its hyper-parameters, its kinks, and closed moments where they exist."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_TANH_GELU = math.sqrt(2.0 / math.pi)


@dataclass(frozen=True, slots=True)
class Moments:
    """What a nonlinearity makes of z ~ N(0, q): E[phi], E[phi^2], E[phi'^2]; dimensionless."""

    mean: float
    square: float
    derivative_square: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A nonlinearity phi(x, *parameters), its derivative as torch defines it, and where it bends.

    parameters: names (as torch spells them) and defaults of the hyper-parameters, in order.
    kinks: the points at which phi or phi' jumps. steepness: by how much the parameters narrow the curve around zero.
    closed: E[phi], E[phi^2], E[phi'^2] as a function of (q, *parameters) where they have a closed form.
    """

    value: Callable[..., float]
    slope: Callable[..., float]
    parameters: tuple[tuple[str, float], ...] = ()
    kinks: Callable[..., tuple[float, ...]] = lambda *_: ()
    steepness: Callable[..., float] = lambda *_: 1.0
    closed: Callable[..., Moments] | None = None


def normal_cdf(x: float) -> float:
    """P(z <= x) of a standard normal z."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_density(x: float) -> float:
    """The density of a standard normal at x."""
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


def _silu_slope(x: float, beta: float = 1.0) -> float:
    s = _sigmoid(beta * x)
    return s + beta * x * s * (1.0 - s)


def _mish_slope(x: float) -> float:
    t = math.tanh(_softplus(x))
    return t + x * (1.0 - t * t) * _sigmoid(x)


def _rectified(q: float, slope: float = 0.0) -> Moments:
    share = 0.5 * (1.0 + slope * slope)
    return Moments((1.0 - slope) * math.sqrt(q / (2.0 * math.pi)), q * share, share)


def _random_rectified(q: float, low: float, high: float) -> Moments:
    # E[slope^2] of a slope drawn from U(low, high), as RReLU does while it trains
    share = 0.5 * (1.0 + (low * low + low * high + high * high) / 3.0)
    return Moments((1.0 - 0.5 * (low + high)) * math.sqrt(q / (2.0 * math.pi)), q * share, share)


def _thresholded(q: float, threshold: float, value: float) -> Moments:
    root = math.sqrt(q)
    at, below = threshold / root, normal_cdf(threshold / root)
    mean = value * below + root * normal_density(at)
    return Moments(mean, value * value * below + q * (1.0 - below + at * normal_density(at)), 1.0 - below)


def _sine(q: float, frequency: float) -> Moments:
    fade = math.exp(-2.0 * frequency * frequency * q)
    return Moments(0.0, 0.5 * (1.0 - fade), 0.5 * frequency * frequency * (1.0 + fade))


def _cosine(q: float, frequency: float) -> Moments:
    fade = math.exp(-2.0 * frequency * frequency * q)
    return Moments(math.exp(-0.5 * frequency * frequency * q), 0.5 * (1.0 + fade), 0.5 * frequency * frequency * (1.0 - fade))


def _error_function(q: float) -> Moments:
    return Moments(0.0, 2.0 / math.pi * math.asin(2.0 * q / (1.0 + 2.0 * q)), 4.0 / math.pi / math.sqrt(1.0 + 4.0 * q))


def _snake(q: float, alpha: float) -> Moments:
    # x + sin^2(alpha x) / alpha is x + (1 - cos(2 alpha x)) / (2 alpha); its even part has these cosine moments
    once, twice = math.exp(-2.0 * alpha * alpha * q), math.exp(-8.0 * alpha * alpha * q)
    even = (1.5 - 2.0 * once + 0.5 * twice) / (4.0 * alpha * alpha)
    return Moments((1.0 - once) / (2.0 * alpha), q + even, 1.5 - 0.5 * twice)


def _bell(q: float) -> Moments:
    return Moments((1.0 + 2.0 * q) ** -0.5, (1.0 + 4.0 * q) ** -0.5, 4.0 * q * (1.0 + 4.0 * q) ** -1.5)


def _star(q: float, scale: float, bias: float) -> Moments:
    half = 0.5 * q * scale
    return Moments(half + bias, 1.5 * (scale * q) ** 2 + 2.0 * bias * half + bias * bias, 2.0 * scale * scale * q)


def _leaky(*parameters: tuple[str, float]) -> Curve:
    return Curve(lambda x, a: x if x > 0 else a * x, lambda x, a: 1.0 if x > 0 else a, parameters, closed=_rectified)


def _swish(*parameters: tuple[str, float]) -> Curve:
    beta = dict(parameters).get("beta", 1.0)
    return Curve(
        lambda x, b=beta: x * _sigmoid(b * x),
        lambda x, b=beta: _silu_slope(x, b),
        parameters,
        steepness=lambda b=beta: max(1.0, abs(b)),
    )


CURVES: dict[str, Curve] = {
    "linear": Curve(lambda x: x, lambda _: 1.0, closed=lambda q: Moments(0.0, q, 1.0)),
    "relu": Curve(lambda x: max(x, 0.0), lambda x: float(x > 0), closed=_rectified),
    "leaky_relu": _leaky(("negative_slope", 0.01)),
    "prelu": _leaky(("init", 0.25)),
    "rrelu": Curve(
        lambda x, a, b: x if x > 0 else 0.5 * (a + b) * x,
        lambda x, a, b: 1.0 if x > 0 else 0.5 * (a + b),
        (("lower", 1.0 / 8.0), ("upper", 1.0 / 3.0)),
        closed=_random_rectified,
    ),
    "threshold": Curve(
        lambda x, t, v: x if x > t else v, lambda x, t, _: float(x > t), (("threshold", 0.0), ("value", 0.0)), closed=_thresholded
    ),
    "relu6": Curve(lambda x: min(max(x, 0.0), 6.0), lambda x: float(0 < x < 6), kinks=lambda: (0.0, 6.0)),
    "relu2": Curve(lambda x: max(x, 0.0) ** 2, lambda x: 2.0 * max(x, 0.0), closed=lambda q: Moments(q / 2.0, 1.5 * q * q, 2.0 * q)),
    "star_relu": Curve(
        lambda x, s, b: s * max(x, 0.0) ** 2 + b,
        lambda x, s, _: 2.0 * s * max(x, 0.0),
        (("scale", 0.8944), ("bias", -0.4472)),
        closed=_star,
    ),
    "elu": Curve(
        lambda x, a: x if x > 0 else a * math.expm1(x),
        lambda x, a: 1.0 if x > 0 else a * math.exp(x),
        (("alpha", 1.0),),
        kinks=lambda _: (0.0,),
    ),
    "celu": Curve(
        lambda x, a: x if x > 0 else a * math.expm1(x / a),
        lambda x, a: 1.0 if x > 0 else math.exp(x / a),
        (("alpha", 1.0),),
        kinks=lambda _: (0.0,),
        steepness=lambda a: max(1.0, 1.0 / a) if a > 1e-6 else 1.0,
    ),
    "selu": Curve(
        lambda x: _SELU_SCALE * (x if x > 0 else _SELU_ALPHA * math.expm1(x)),
        lambda x: _SELU_SCALE * (1.0 if x > 0 else _SELU_ALPHA * math.exp(x)),
        kinks=lambda: (0.0,),
    ),
    "gelu": Curve(lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * normal_density(x)),
    "gelu_tanh": Curve(lambda x: 0.5 * x * (1.0 + _tanh_gelu(x)), _tanh_gelu_slope),
    "quick_gelu": Curve(lambda x: x * _sigmoid(1.702 * x), lambda x: _silu_slope(x, 1.702), steepness=lambda: 1.702),
    "silu": _swish(),
    "swish": _swish(("beta", 1.0)),
    "mish": Curve(lambda x: x * math.tanh(_softplus(x)), _mish_slope),
    "hardswish": Curve(
        lambda x: x * min(max(x + 3.0, 0.0), 6.0) / 6.0,
        lambda x: 0.0 if x < -3 else 1.0 if x > 3 else x / 3.0 + 0.5,
        kinks=lambda: (-3.0, 3.0),
    ),
    "softplus": Curve(
        lambda x, b, t: x if b * x > t else _softplus(b * x) / b,
        lambda x, b, t: 1.0 if b * x > t else _sigmoid(b * x),
        (("beta", 1.0), ("threshold", 20.0)),
        kinks=lambda b, t: (t / b,),
        steepness=lambda b, _: max(1.0, abs(b)),
    ),
    "log_sigmoid": Curve(lambda x: -_softplus(-x), lambda x: _sigmoid(-x)),
    "sigmoid": Curve(_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "hardsigmoid": Curve(
        lambda x: min(max(x + 3.0, 0.0), 6.0) / 6.0, lambda x: 1.0 / 6.0 if -3 < x < 3 else 0.0, kinks=lambda: (-3.0, 3.0)
    ),
    "tanh": Curve(math.tanh, lambda x: 1.0 - math.tanh(x) ** 2),
    "lecun_tanh": Curve(lambda x: 1.7159 * math.tanh(2.0 * x / 3.0), lambda x: 1.7159 * 2.0 / 3.0 * (1.0 - math.tanh(2.0 * x / 3.0) ** 2)),
    "hardtanh": Curve(
        lambda x, a, b: min(max(x, a), b),
        lambda x, a, b: float(a < x < b),
        (("min_val", -1.0), ("max_val", 1.0)),
        kinks=lambda a, b: (a, b),
    ),
    "softsign": Curve(lambda x: x / (1.0 + abs(x)), lambda x: (1.0 + abs(x)) ** -2),
    "atan": Curve(math.atan, lambda x: 1.0 / (1.0 + x * x)),
    "erf": Curve(math.erf, lambda x: 2.0 / math.sqrt(math.pi) * math.exp(-min(x * x, 700.0)), closed=_error_function),
    "sin": Curve(lambda x, w: math.sin(w * x), lambda x, w: w * math.cos(w * x), (("frequency", 1.0),), closed=_sine),
    "cos": Curve(lambda x, w: math.cos(w * x), lambda x, w: -w * math.sin(w * x), (("frequency", 1.0),), closed=_cosine),
    "snake": Curve(
        lambda x, a: x + math.sin(a * x) ** 2 / a,
        lambda x, a: 1.0 + math.sin(2.0 * a * x),
        (("alpha", 1.0),),
        closed=_snake,
    ),
    "gaussian": Curve(lambda x: math.exp(-min(x * x, 700.0)), lambda x: -2.0 * x * math.exp(-min(x * x, 700.0)), closed=_bell),
    "tanhshrink": Curve(lambda x: x - math.tanh(x), lambda x: math.tanh(x) ** 2),
    "softshrink": Curve(
        lambda x, b: math.copysign(max(abs(x) - b, 0.0), x), lambda x, b: float(abs(x) > b), (("lambd", 0.5),), kinks=lambda b: (-b, b)
    ),
    "hardshrink": Curve(lambda x, b: x if abs(x) > b else 0.0, lambda x, b: float(abs(x) > b), (("lambd", 0.5),), kinks=lambda b: (-b, b)),
    "abs": Curve(abs, lambda x: float(x > 0) - float(x < 0), closed=lambda q: Moments(math.sqrt(2.0 * q / math.pi), q, 1.0)),
    "square": Curve(lambda x: x * x, lambda x: 2.0 * x, closed=lambda q: Moments(q, 3.0 * q * q, 4.0 * q)),
    "exp": Curve(_exp, _exp, closed=lambda q: Moments(_exp(q / 2.0), _exp(2.0 * q), _exp(2.0 * q))),
}
"""Every nonlinearity whose moments are known, by role word."""

WITHOUT_GAIN: dict[str, str] = {
    "softmax": "it mixes units and its outputs sum to 1; a stack of them has no gain, only the variance of its logits matters",
    "softmin": "it is a softmax of -x",
    "log_softmax": "its mean is about -ln(classes) whatever its input, and nothing is stacked on it",
    "gumbel_softmax": "its outputs are random choices",
}
"""What torch calls an activation although no gain belongs to it, and why."""
