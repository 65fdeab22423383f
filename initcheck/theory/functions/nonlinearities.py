"""Gaussian moments of nonlinearities: E[phi], E[phi^2], E[phi'^2] under z ~ N(0, q), closed or by quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import pairwise
from typing import TypeAlias

from initcheck.errors import NotKnown
from initcheck.theory.functions.curves import CURVES, WITHOUT_GAIN, Curve, Moments

Parameter: TypeAlias = float | tuple[float, ...] | None
"""Hyper-parameters of a nonlinearity in the order of its curve; one number stands for the first, None, NaN or () for torch's defaults."""

__all__ = ["CURVES", "Curve", "Moments", "Parameter", "canonical", "curve", "filled", "known", "moments", "moments_of", "slope_at_zero"]

_ALIASES = {"identity": "linear", "arctan": "atan", "logsigmoid": "log_sigmoid"}
_REACH = 10.0
"""Standard deviations that the quadrature covers; the Gaussian weighs 1e-23 beyond."""
_NODES = 12
_STEP = 1e-5


def canonical(role: str) -> str:
    """The role word under which a curve is filed: `identity` is `linear`, `custom:cos` is `cos`."""
    bare = role.removeprefix("custom:")
    return _ALIASES.get(bare, bare if bare in CURVES else role)


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
        why = WITHOUT_GAIN.get(role)
        raise NotKnown(f"the gain of `{role}` is not known" + (f": {why}" if why else ""))
    return found


def filled(role: str, parameter: Parameter = None) -> tuple[float, ...]:
    """All hyper-parameters of a nonlinearity, torch's defaults standing in for what was not given.

    Raises:
        NotKnown: for an unknown role, or more parameters than it has.
    """
    defaults = tuple(value for _, value in curve(role).parameters)
    given = parameter if isinstance(parameter, tuple) else () if parameter is None or math.isnan(parameter) else (float(parameter),)
    if len(given) > len(defaults) and defaults:
        raise NotKnown(f"`{role}` has {len(defaults)} hyper-parameters, not {len(given)}")
    return given[: len(defaults)] + defaults[len(given) :]


def moments(role: str, q: float, parameter: Parameter = None) -> Moments:
    """Moments under z ~ N(0, q): closed forms where they exist, else composite Gauss-Legendre (relative error below 1e-8).

    Args:
        role: a role word.
        q: second moment of the pre-activation.
        parameter: the hyper-parameters, exactly as the nonlinearity is used.

    Raises:
        NotKnown: for an unknown role, or a q that is not positive and finite.
    """
    curve(role)
    return _moments(canonical(role), _positive(q), filled(role, parameter))


def moments_of(function: Callable[[float], float], q: float, slope: Callable[[float], float] | None = None) -> Moments:
    """Moments of any elementwise function under z ~ N(0, q), by adaptive quadrature through the function itself.

    Args:
        function: phi, from a number to a number.
        q: second moment of the pre-activation.
        slope: phi'; a central difference where it is left out.

    Returns:
        E[phi'^2] is NaN where no `slope` was given and the function jumps, so that its difference quotient has no limit.

    Raises:
        NotKnown: for a q that is not positive and finite, or a function that is not finite everywhere.
    """
    from scipy.integrate import quad_vec

    root = math.sqrt(_positive(q))

    def integrand(z: float, step: float) -> list[float]:
        x, weight = root * z, math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        value = function(x)
        if not math.isfinite(value):
            raise NotKnown(f"the function is {value} at {x:.3g}")
        rise = slope(x) if slope is not None else (function(x + step * root) - function(x - step * root)) / (2.0 * step * root)
        return [weight * value, weight * value * value, weight * rise * rise]

    def integrate(step: float) -> Moments:
        total, _ = quad_vec(lambda z: _array(integrand(z, step)), -_REACH, _REACH, epsrel=1e-9, limit=2000, points=(0.0,))
        return Moments(*(float(part) for part in total))

    found = integrate(_STEP)
    if slope is None and abs(integrate(4.0 * _STEP).derivative_square / (found.derivative_square or 1.0) - 1.0) > 1e-2:
        return Moments(found.mean, found.square, math.nan)
    return found


def slope_at_zero(role: str, parameter: Parameter = None) -> float:
    """phi'(0) as torch's autograd gives it (ReLU: 0).

    Raises:
        NotKnown: for an unknown role.
    """
    return curve(role).slope(0.0, *filled(role, parameter))


def _positive(q: float) -> float:
    if not (q > 0.0 and math.isfinite(q)):
        raise NotKnown(f"the second moment {q!r} is not a positive number")
    return q


@lru_cache(maxsize=4096)
def _moments(role: str, q: float, parameters: tuple[float, ...]) -> Moments:
    shape = CURVES[role]
    return shape.closed(q, *parameters) if shape.closed else _integrate(shape, q, parameters)


def _integrate(shape: Curve, q: float, parameters: tuple[float, ...]) -> Moments:
    root = math.sqrt(q)
    mean = square = derivative = 0.0
    for low, high in pairwise(_edges(shape.kinks(*parameters), root, root * shape.steepness(*parameters))):
        half, middle = 0.5 * (high - low), 0.5 * (high + low)
        for node, weight in _legendre():
            z = middle + half * node
            density = half * weight * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
            value, slope = shape.value(root * z, *parameters), shape.slope(root * z, *parameters)
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
def _legendre() -> tuple[tuple[float, float], ...]:
    """Nodes and weights of Gauss-Legendre quadrature on [-1, 1]."""
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(_NODES)
    return tuple(zip(nodes.tolist(), weights.tolist(), strict=True))


def _array(values: list[float]) -> object:
    from numpy import array

    return array(values)
