"""How alike two inputs stay over depth: the correlation map of wide networks, its fixed point and depth scale.

Sources: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232; Cho & Saul 2009 for the arc-cosine kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from initcheck.errors import NotKnown
from initcheck.theory.functions.nonlinearities import Parameter, canonical, curve, filled, moments
from initcheck.theory.mean_field import chi_1, depth_scale, fixed_point, length_map

_DEGREES = 160
"""Hermite polynomials in the expansion of a nonlinearity; what they leave out is put at the next power, so that C(1) stays exact."""
_REACH, _PANEL, _NODES = 10.0, 0.25, 16
"""Standard deviations, panel width and nodes per panel of the quadrature behind the expansion."""
_HALVINGS = 50
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Correlation:
    """The correlation c of two inputs that a layer reproduces, at a given second moment.

    chi: dC/dc there; below 1 all pairs of inputs are drawn to c. depth_scale: layers over which the distance from c falls by a factor e.
    """

    c: float
    chi: float
    depth_scale: float


def correlation_map(role: str, weight_gain: float, bias_std: float, q: float, c: float, parameter: Parameter = None) -> float:
    """The next layer's correlation of two inputs: (weight_gain^2 E[phi(u1) phi(u2)] + bias_std^2) over the next second moment.

    u1 and u2 are jointly normal with second moment q and correlation c. At a fixed point q of the length map this is the C(c) of Poole et al.

    Args:
        role: a role word.
        weight_gain: std of the weights times sqrt(fan_in).
        bias_std: std of the biases.
        q: second moment of the pre-activations.
        c: their correlation, in [-1, 1].
        parameter: hyper-parameter of the nonlinearity.

    Raises:
        NotKnown: for an unknown role, or q or c out of range.
    """
    if not -1.0 <= c <= 1.0:
        raise NotKnown(f"{c!r} is no correlation")
    product = joint_moment(role, q, c, parameter)
    return (weight_gain**2 * product + bias_std**2) / length_map(role, weight_gain, bias_std, q, parameter)


def joint_moment(role: str, q: float, c: float, parameter: Parameter = None) -> float:
    """E[phi(u1) phi(u2)] for jointly normal u1, u2 of second moment q and correlation c: closed forms, else a Hermite expansion.

    The bend of the curve at zero, which a series only meets slowly, is taken out and treated in closed form. The relative error is below
    1e-7, and below 1e-4 close to c = 1 for curves that bend elsewhere (hardtanh, the shrink family).

    Raises:
        NotKnown: for an unknown role or a q that is not positive.
    """
    given = filled(role, parameter)
    closed = _CLOSED.get(canonical(role))
    if closed is not None:
        return closed(q, c, given[0] if given else math.nan)
    fold, coefficients = _expansion(canonical(role), q, given)
    return _series(coefficients, c) + fold**2 * _rectified(q, c, -1.0)


def correlation_fixed_point(
    role: str, weight_gain: float, bias_std: float = 0.0, q: float | None = None, parameter: Parameter = None
) -> Correlation:
    """The stable correlation in [0, 1] that pairs of inputs are drawn to at second moment q (by default the fixed point of the length map).

    Raises:
        NotKnown: for an unknown role, and where the length map has no fixed point and no q was given.
    """
    if q is None:
        settled = fixed_point(role, weight_gain, bias_std, parameter)
        if settled is None:
            raise NotKnown(f"the second moment settles nowhere with {role} at a gain of {weight_gain:.3g}")
        q = settled.q
    at_one = chi_1(role, weight_gain, q, parameter) * q / length_map(role, weight_gain, bias_std, q, parameter)
    # The map is convex on [0, 1] and keeps 1: only where it is steeper than 1 there, it has another fixed point, and that is the stable one.
    if at_one <= 1.0 + 1e-9:
        return Correlation(1.0, at_one, depth_scale(at_one))

    def above(c: float) -> bool:
        return correlation_map(role, weight_gain, bias_std, q, c, parameter) > c

    low, high = 0.0, 1.0 - 1e-9
    if above(1e-9):
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if above(middle) else (low, middle)
    step = 1e-5
    rise = correlation_map(role, weight_gain, bias_std, q, min(low + step, 1.0), parameter)
    slope = (rise - correlation_map(role, weight_gain, bias_std, q, low - step, parameter)) / (2.0 * step)
    return Correlation(low, slope, depth_scale(slope))


def correlation_after(role: str, weight_gain: float, bias_std: float, q: float, c: float, layers: int) -> float:
    """The correlation of two inputs after that many layers at a second moment of q in each.

    Raises:
        NotKnown: for an unknown role, or q or c out of range.
    """
    for _ in range(layers):
        c = min(1.0, max(-1.0, correlation_map(role, weight_gain, bias_std, q, c)))
    return c


@lru_cache(maxsize=256)
def _expansion(role: str, q: float, given: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
    """The size b of the fold b |x| in phi, and the series in c of E[phi(u1) phi(u2)] - b^2 E[|u1| |u2|], whose last term is the rest at c = 1.

    The coefficients are squares of those of phi(sqrt(q) z) and b |sqrt(q) z| in normalized Hermite polynomials.
    """
    import numpy as np

    shape, root = curve(role), math.sqrt(q)
    bends = [kink / root for kink in shape.kinks(*given) if abs(kink) < _REACH * root]
    edges = np.unique(np.concatenate([np.arange(-_REACH, _REACH + _PANEL / 2, _PANEL), [0.0], bends]))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half, middle = np.diff(edges)[:, None] / 2.0, (edges[1:] + edges[:-1])[:, None] / 2.0
    z = (middle + half * nodes).ravel()
    density = (half * weights).ravel() * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    mass = density * np.array([shape.value(root * point, *given) for point in z.tolist()])
    fold = 0.5 * (shape.slope(_TINY, *given) - shape.slope(-_TINY, *given))
    folded = density * fold * root * np.abs(z)
    before, now = np.zeros_like(z), np.ones_like(z)
    squares = []
    for degree in range(_DEGREES):
        squares.append(float(mass @ now) ** 2 - float(folded @ now) ** 2)
        before, now = now, (z * now - math.sqrt(degree) * before) / math.sqrt(degree + 1.0)
    return fold, (*squares, moments(role, q, given).square - fold**2 * q - sum(squares))


def _series(squares: Sequence[float], c: float) -> float:
    total = 0.0
    for square in reversed(squares):
        total = total * c + square
    return total


def _rectified(q: float, c: float, slope: float) -> float:
    # leaky(x) = (1 + a) / 2 x + (1 - a) / 2 |x|, whose two parts are uncorrelated
    straight, folded = 0.5 * (1.0 + slope), 0.5 * (1.0 - slope)
    return q * (straight**2 * c + folded**2 * 2.0 / math.pi * (math.sqrt(max(0.0, 1.0 - c * c)) + c * math.asin(c)))


def _waves(sign: float) -> Callable[[float, float, float], float]:
    def product(q: float, c: float, frequency: float) -> float:
        size = frequency * frequency * q
        return 0.5 * (math.exp(-size * (1.0 - c)) + sign * math.exp(-size * (1.0 + c)))

    return product


_CLOSED: dict[str, Callable[[float, float, float], float]] = {
    "linear": lambda q, c, _: q * c,
    "relu": lambda q, c, _: _rectified(q, c, 0.0),
    "leaky_relu": _rectified,
    "prelu": _rectified,
    "abs": lambda q, c, _: _rectified(q, c, -1.0),
    "square": lambda q, c, _: q * q * (1.0 + 2.0 * c * c),
    "erf": lambda q, c, _: 2.0 / math.pi * math.asin(2.0 * q * c / (1.0 + 2.0 * q)),
    "sin": _waves(-1.0),
    "cos": _waves(1.0),
}
"""E[phi(u1) phi(u2)] as a function of (q, c, parameter), where it has a closed form."""
