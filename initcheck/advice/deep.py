"""Deep plain stretches of one nonlinearity: starts at which signal and gradient both keep their size, for fifty layers and more.

Sources: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232; Hayou et al. 2019, arXiv:1902.06853.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.advice.scale import is_wave, needed_gain
from initcheck.advice.start import Start, normal, start
from initcheck.errors import NotKnown
from initcheck.records.evidence import Chain, Evidence, Layer, Nonlinearity
from initcheck.records.recording import InitCall
from initcheck.theory.functions.nonlinearities import known
from initcheck.theory.mean_field import critical_point, length_map

DEEP = 16
"""Layers in a row from which the errors of a simple gain, or the chance of a draw of some hundred units, come near a factor of two."""
_MOMENTS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_STEADY = 0.985
"""Largest slope of the length map at which the chance of a narrow draw dies out over some tens of layers instead of adding up."""
_KINDS = ("linear", "conv", "matmul")
_WIDE = 1024
"""Units from which the chance of independent numbers hardly counts, and an orthogonal draw takes seconds."""
_NOTHING, _NEUTRAL = 1e-9, 1e-6


@dataclass(frozen=True, slots=True)
class Critical:
    """How every layer of a stretch starts: variances of weights (times fan_in) and biases, and the second moment that they keep.

    `moment` is None where every second moment is kept (rectifiers).
    """

    weight: float
    bias: float
    moment: float | None


@dataclass(frozen=True, slots=True)
class Deep:
    """The place of one layer in a stretch; `scale` multiplies the std of the first layer, which has to bring the input to the moment."""

    critical: Critical
    depth: int
    scale: float = 1.0


def deep_layers(evidence: Evidence) -> dict[str, Deep]:
    """The weights that stand in stretches of `DEEP` layers or more with one nonlinearity of known moments, and how they start."""
    found: dict[str, Deep] = {}
    for chain in evidence.chains:
        layers = _stretch(chain, evidence)
        if len(layers) < DEEP:
            continue
        try:
            critical = critical_start(layers[0].nonlinearity.get())
        except NotKnown:
            continue
        found |= {layer.weight: Deep(critical, len(layers)) for layer in layers}
        if critical.moment is not None:
            found[layers[0].weight] = Deep(critical, len(layers), _entry(layers[0], critical))
    return found


def critical_start(nonlinearity: Nonlinearity) -> Critical:
    """Where the second moment stays and the gradient keeps its size: the smallest moment that is a stable fixed point there.

    Raises:
        NotKnown: for a nonlinearity without such a point (sigmoid, softplus), or whose moments are not known.
    """
    role, parameter = nonlinearity.role, nonlinearity.parameter or None
    if not known(role) or is_wave(nonlinearity):
        raise NotKnown(f"no critical start is known for {role}")
    fallback: Critical | None = None
    for moment in _MOMENTS:
        weight, bias = critical_point(role, moment, parameter)
        slope = _slope(role, weight, bias, moment, nonlinearity)
        if bias < _NOTHING and abs(slope - 1.0) < _NEUTRAL:
            return Critical(needed_gain(nonlinearity) ** 2, 0.0, None)
        if slope <= _STEADY:
            return Critical(weight, bias, moment)
        if slope <= 1.0 and fallback is None:
            fallback = Critical(weight, bias, moment)
    if fallback is not None:
        return fallback
    raise NotKnown(f"{role} has no stable critical start")


def deep_start(layer: Layer, deep: Deep) -> Start:
    """Orthogonal with the critical gain, which leaves a fifth of the chance that independent numbers leave; else normal.

    torch scales an orthogonal matrix by its longer side; the gain here is the one that gives E[w^2] = variance / fan_in.

    Raises:
        NotKnown: for a layer whose fans are not known.
    """
    variance = deep.critical.weight * deep.scale**2
    fan_in = layer.fan_in.get()
    reason = f"at this gain and bias both signal and gradient keep their size over {deep.depth} layers in a row"
    if layer.kind not in ("linear", "conv") or layer.groups > 1 or min(layer.shape[0], math.prod(layer.shape[1:])) > _WIDE:
        return start(layer.weight, normal(math.sqrt(variance / fan_in)), reason)
    rows = layer.shape[0]
    longer = max(rows, math.prod(layer.shape[1:]))
    gain = float(f"{math.sqrt(variance * longer / fan_in):.4g}")
    return start(layer.weight, InitCall("orthogonal_", (("gain", gain),)), reason)


def deep_bias(deep: Deep) -> InitCall | None:
    """The biases that the critical point asks for; None for zeros."""
    return normal(math.sqrt(deep.critical.bias)) if deep.critical.bias > 0 else None


def _stretch(chain: Chain, evidence: Evidence) -> list[Layer]:
    layers = [layer for name in chain.weights if (layer := evidence.layer(name)) is not None]
    plain = [layer for layer in layers if layer.kind in _KINDS and not layer.norm and not layer.merges and layer.nonlinearity.known()]
    if not plain or any(layer.inside_branch or layer.closes_branch or layer.derived for layer in plain):
        return []
    first = plain[0].nonlinearity.get()
    alike = [
        layer for layer in plain if (layer.nonlinearity.get().role, layer.nonlinearity.get().parameter) == (first.role, first.parameter)
    ]
    return alike if len(alike) == len(plain) else []


def _entry(first: Layer, critical: Critical) -> float:
    """The factor on the first layer's std that turns the input's second moment into the one that the others keep."""
    fed_by = first.fed_by.get() if first.fed_by.known() else ()
    measured = first.input_second_moment.get() if first.input_second_moment.known() else 1.0
    given = measured if set(fed_by) <= {"input"} and math.isfinite(measured) and measured > 0 else 1.0
    moment = critical.moment if critical.moment is not None else 1.0
    return math.sqrt(max(moment - critical.bias, 0.1 * moment) / (given * critical.weight))


def _slope(role: str, weight: float, bias: float, moment: float, nonlinearity: Nonlinearity) -> float:
    step, gain, spread, parameter = 1e-3 * moment, math.sqrt(weight), math.sqrt(bias), nonlinearity.parameter or None
    above, below = (length_map(role, gain, spread, moment + sign * step, parameter) for sign in (1, -1))
    return (above - below) / (2.0 * step)
