"""What a network does to the signal between its weights beyond the nonlinearities that are known: a factor that no scheme makes up for."""

from __future__ import annotations

import math

from initcheck.advice.scale import needed_gain
from initcheck.errors import NotKnown
from initcheck.records.evidence import Chain, Evidence, Hop, Layer
from initcheck.theory.functions.nonlinearities import known
from initcheck.theory.mean_field import length_map

_EXPLAINED = 0.3
"""Nats per hop up to which what was measured counts as what theory says."""
_HALVINGS = 40


def unseen_factor(chain: Chain, evidence: Evidence) -> float | None:
    """The factor for the weights of a chain whose hops theory does not explain; None where it does, or nothing is known of them.

    Behind a curve that keeps every scale the factor halves the drift between both directions (they differ where widths change). Behind any
    other the constant that multiplies the pre-activations is solved for, from what the hops made of them.
    """
    pairs = [pair for hop in chain.hops if (pair := _hop(hop, evidence)) is not None]
    if len(pairs) < len(chain.hops) or not pairs:
        return None
    try:
        surprise = sum(hop.forward.get() - _expected(before, after, 1.0) for hop, before, after in pairs) / len(pairs)
        if abs(surprise) < _EXPLAINED:
            return None
        if all(_homogeneous(before) for _, before, _ in pairs):
            drift = sum((hop.forward.get() + (hop.backward.get() if hop.backward.known() else hop.forward.get())) for hop, _, _ in pairs)
            return math.exp(-drift / (4.0 * len(pairs)))
        constants = [_constant(hop, before, after) for hop, before, after in pairs]
        ratios = [needed_gain(before.nonlinearity.get()) / max(before.gain.get(), 1e-30) for _, before, _ in pairs]
    except NotKnown:
        return None
    return float(sorted(ratios)[len(ratios) // 2] / sorted(constants)[len(constants) // 2])


def _hop(hop: Hop, evidence: Evidence) -> tuple[Hop, Layer, Layer] | None:
    before, after = evidence.layer(hop.source), evidence.layer(hop.weight)
    if before is None or after is None or not hop.forward.known() or not before.nonlinearity.known():
        return None
    usable = known(before.nonlinearity.get().role) and before.second_moment.known() and after.gain.known() and before.gain.known()
    return (hop, before, after) if usable and before.second_moment.get() > 0 and after.gain.get() > 0 else None


def _expected(before: Layer, after: Layer, constant: float) -> float:
    """ln of the ratio of the second moments behind and before a hop, with a constant in front of the nonlinearity."""
    curve, moment = before.nonlinearity.get(), before.second_moment.get()
    reached = length_map(curve.role, after.gain.get(), 0.0, min(max(moment * constant**2, 1e-12), 1e12), curve.parameter or None)
    return math.log(max(reached / moment, 1e-300))


def _homogeneous(layer: Layer) -> bool:
    role = layer.nonlinearity.get().role
    return role in ("relu", "leaky_relu", "prelu", "rrelu", "linear", "abs")


def _constant(hop: Hop, before: Layer, after: Layer) -> float:
    low, high = 1e-3, 1e3
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _expected(before, after, middle) < hop.forward.get() else (low, middle)
    return math.sqrt(low * high)
