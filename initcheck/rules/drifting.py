"""What the four drift rules share: one finding for all chains that drift their way, worded after the worst."""

from __future__ import annotations

from collections.abc import Iterator

from initcheck.advice.scale import advice, needed_gain, spoken
from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, louder
from initcheck.rules.base import Rule, written_at
from initcheck.rules.chains import ChainVerdict, Direction, judged_chains
from initcheck.rules.remedies import fits_already, redraw, rescale
from initcheck.rules.unseen import unseen_factor

_NEEDY = ("sigmoid", "hardsigmoid", "silu", "gelu", "gelu_tanh", "hardswish", "mish")


def drift_findings(rule: Rule, evidence: Evidence, direction: Direction, sign: int) -> Iterator[Finding]:
    """One finding for the chains whose louder drift goes this way (`sign` -1 shrinks, +1 grows).

    Raises:
        NotKnown: when chains exist but none of their hops was measured in this direction.
    """
    _require_measured(evidence, direction)
    verdicts = [verdict for verdict in judged_chains(evidence) if verdict.direction == direction and verdict.judged * sign > 0]
    if not verdicts:
        return
    worst = verdicts[0]
    severity = worst.severity
    for verdict in verdicts:
        severity = louder(severity, verdict.severity)
    names = tuple(dict.fromkeys(weight for verdict in verdicts for weight in verdict.chain.weights))
    culprit = _culprit(worst, evidence)
    yield rule.finding(
        names,
        _message(worst, direction, sign),
        severity=severity,
        observed=f"{_factor(worst.factor)} over {len(worst.chain.hops)} hops: drift {worst.judged:+.1f} nats of the second moment (floor ±{worst.drift.floor:.1f})",
        expected=f"within ±{worst.drift.floor:.1f} nats; from ±{max(8.0, worst.drift.floor + 5):.0f} it does not train with SGD",
        location=written_at(evidence.record(culprit.weight)) if culprit is not None else None,
        fix=_fix(worst, names, culprit, evidence),
        note=_note(culprit),
        why=_why(culprit),
    )


def layer_path(weight: str) -> str:
    """The path of the module that owns a weight; the weight's own name at the top of the model."""
    return weight.rpartition(".")[0] or weight


def _require_measured(evidence: Evidence, direction: Direction) -> None:
    hops = [hop for chain in evidence.chains if direction == "forward" or not chain.batch_norm for hop in chain.hops]
    facts = [hop.forward if direction == "forward" else hop.backward for hop in hops]
    if facts and not any(fact.known() for fact in facts):
        facts[0].get()
    if not evidence.chains and all(not layer.second_moment.known() for layer in evidence.layers):
        raise NotKnown("no forward pass was measured")


def _message(worst: ChainVerdict, direction: Direction, sign: int) -> str:
    first, last = worst.chain.weights[0], worst.chain.weights[-1]
    ends = (layer_path(first), layer_path(last)) if direction == "forward" else (layer_path(last), layer_path(first))
    what = "the signal" if direction == "forward" else "gradients"
    verb = {("forward", -1): "shrinks", ("forward", 1): "grows", ("backward", -1): "shrink", ("backward", 1): "grow"}[direction, sign]
    return f"{what} {verb} {_factor(worst.factor)} from `{ends[0]}` {'to' if direction == 'forward' else 'back to'} `{ends[1]}`"


def _culprit(worst: ChainVerdict, evidence: Evidence) -> Layer | None:
    """The layer to show: one in the middle of the chain is as guilty as its neighbours and more typical than the ends."""
    weights = worst.chain.weights
    return evidence.layer(weights[min(1, len(weights) - 1)])


def _required(layer: Layer) -> float | None:
    try:
        return needed_gain(layer.nonlinearity.get())
    except NotKnown:
        return None


def _note(layer: Layer | None) -> str:
    if layer is None or not layer.gain.known():
        return ""
    required = _required(layer)
    needs = f"; {spoken(layer.nonlinearity.get())} needs {required:.2g}" if required is not None else ""
    return f"gain {layer.gain.get():.2f}{needs}"


def _why(layer: Layer | None) -> str:
    if layer is None or not layer.gain.known():
        return "The factors of the single layers multiply along the chain."
    required = _required(layer)
    if required is None:
        return f"The weights of these layers have a gain of {layer.gain.get():.2f}; the factors multiply along the chain."
    role, gain, curve = layer.nonlinearity.get().role, layer.gain.get(), spoken(layer.nonlinearity.get())
    if role in ("sigmoid", "hardsigmoid"):
        return f"{role} passes at most a fraction of the gradient; no gain makes a deep plain stack of it healthy: gain 4, fewer layers, or a normalization."
    if 1 / 1.3 <= gain / required <= 1.3:
        return f"The gain fits {curve}, but its fixed point is unstable at this depth: put a normalization or residual branches in between."
    return f"These layers have a gain of {gain:.2f} and {curve} needs {required:.2g}: each multiplies the second moment by {(gain / required) ** 2:.2g}."


def _fix(worst: ChainVerdict, names: tuple[str, ...], layer: Layer | None, evidence: Evidence) -> Fix | None:
    """A fresh start by place; a factor where the network between the weights does what no scheme knows of; nothing where no start helps."""
    if layer is None:
        return None
    role = layer.nonlinearity.get().role if layer.nonlinearity.known() else ""
    title = f"use {advice(layer).scheme}" + (" or a normalization between the layers" if role in _NEEDY else "") if role else ""
    factor = unseen_factor(worst.chain, evidence)
    if factor is not None:
        return rescale(worst.chain.weights, factor, f"multiply these weights by {factor:.3g}, or take out what stands between them")
    drawn = redraw(names, evidence, title, biases=True)
    if drawn is not None and all(fits_already(step, evidence) for step in drawn.steps):
        return Fix(names, None, "display", title or "put a normalization between the layers")
    return drawn


def _factor(factor: float) -> str:
    return f"{factor:,.0f}×" if factor >= 100 else f"{factor:.3g}×"
