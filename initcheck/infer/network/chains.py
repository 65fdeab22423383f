"""Stretches of weights between which stands no normalization and no residual sum, and how the signal changes along them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from initcheck.errors import NotKnown
from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.fusion import OPAQUE
from initcheck.infer.dataflow.ops import attribute
from initcheck.infer.dataflow.roles import Roles
from initcheck.infer.layer.uses import Use
from initcheck.records.evidence import Chain, Hop
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.graph import Node
from initcheck.records.stats import SignalStats
from initcheck.theory.fans import live_taps

CHAINED = ("linear", "conv", "conv_transpose", "bilinear", "matmul")
STOPS = ("weight_layer", "attention", "recurrent", "residual_add", "gate_multiply", "output", "softmax", "log_softmax")

LOSSES = ("_loss", "cross_entropy")
HEADS = frozenset(("output", "softmax", "log_softmax"))


@dataclass(frozen=True, slots=True)
class Steps:
    """From each weight operation to those that follow it, those that nothing follows but the output, and those that are followed by both.

    `merged` says how the values of the weights are combined on the way to what they feed.
    """

    following: Mapping[int, tuple[int, ...]]
    heads: frozenset[int]
    returned: frozenset[int]
    merged: Mapping[int, frozenset[str]]


def reached(roles: Roles, start: int, *, norms: bool) -> tuple[set[int], set[str]]:
    """The weight operations that a value reaches through nonlinearities (and normalizations, if asked), and what else it meets."""
    found: set[int] = set()
    met: set[str] = set()
    waiting, seen = [start], {start}
    while waiting:
        reach = roles.feeds(waiting.pop())
        if "output" in reach.roles:
            met.add("output")
        if "noise" in reach.merges:
            met.add("noise")
        for end, role in reach.ends.items():
            if role == "weight_layer":
                found.add(end)
            elif role in STOPS or (role.endswith("_norm") and not norms):
                met.add(role)
            elif end not in seen:
                seen.add(end)
                waiting.append(end)
    return found, met


def steps(roles: Roles, nodes: list[int]) -> Steps:
    """How the weight operations `nodes` follow each other."""
    known = set(nodes)
    following: dict[int, tuple[int, ...]] = {}
    heads, returned = set(), set()
    for node in nodes:
        found, met = reached(roles, node, norms=False)
        # a value that also starts a shortcut, a gate, a normalized branch or a product of data gets gradient from there: no single chain
        following[node] = () if met - HEADS or found - known else tuple(sorted(found & known))
        lossy = any(word in role for role in roles.feeds(node).roles for word in LOSSES)
        if lossy or (not found and met and (met <= HEADS or _last(roles.flow, node))):
            heads.add(node)
        elif found and met:
            returned.add(node)
    merged = {node: frozenset(roles.feeds(node).merges) for node in nodes}
    return Steps(following, frozenset(heads), frozenset(returned), merged)


def _last(flow: Flow, start: int) -> bool:
    """Whether no weight and no opaque operation learns from what a weight made: only a loss stands behind it."""
    waiting, seen = [start], {start}
    while waiting:
        for reader, _ in flow.consumers(waiting.pop()):
            if is_weighted(reader) or reader.op in OPAQUE:
                return False
            if reader.op != "detach" and reader.id not in seen:
                seen.add(reader.id)
                waiting.append(reader.id)
    return True


def chains(roles: Roles, uses: list[Use], signals: Mapping[int, SignalStats], zeros: frozenset[str] = frozenset()) -> tuple[Chain, ...]:
    """The longest stretch that ends at each last weight; the head is no part of it, nor are zero weights (`zeros`) at its end."""
    weights = {use.node: use for use in uses if use.kind in CHAINED and not use.derived} | {
        use.node: use for use in uses if use.kind in CHAINED and use.derived
    }
    walk = steps(roles, sorted(weights))
    before: dict[int, int] = {}
    length: dict[int, int] = {}
    for node in sorted(weights):
        length.setdefault(node, 1)
        for after in walk.following[node]:
            if after not in walk.heads and after > node and length[node] + 1 > length.get(after, 1):
                length[after], before[after] = length[node] + 1, node
    lasts = [
        node
        for node in weights
        if node not in walk.heads and not [a for a in walk.following[node] if a not in walk.heads and before.get(a) == node]
    ]
    found = []
    for last in sorted(lasts):
        path = [last]
        while path[0] in before:
            path.insert(0, before[path[0]])
        while path and weights[path[-1]].parameter in zeros:
            path.pop()
        if len(path) > 1:
            found.append(_chain(roles, [weights[node] for node in path], signals, walk))
    return tuple(found)


def _chain(roles: Roles, path: list[Use], signals: Mapping[int, SignalStats], walk: Steps) -> Chain:
    flow = roles.flow
    last = path[-1].node
    normed = any(node.op == "native_batch_norm" and flow.descends(node.id, path[0].node) for node in flow.nodes if flow.live[node.id])
    hops = tuple(_hop(flow, before, after, signals, walk) for before, after in pairwise(path))
    end = signals.get(last)
    fraction = end.sample_fraction if end is not None and end.sample_fraction is not None else Unknown("the signal was not measured")
    return Chain(tuple(use.parameter for use in path), hops, fraction, normed)


def _hop(flow: Flow, before: Use, after: Use, signals: Mapping[int, SignalStats], walk: Steps) -> Hop:
    first, second = signals.get(before.node), signals.get(after.node)
    padding = _padding(flow.nodes[after.node])
    spread = _spread(flow, before.node, after.node)
    forward: Fact[float] = Unknown("the signal was not measured")
    backward: Fact[float] = Unknown("the gradient was not measured")
    if first is not None and second is not None:
        forward = _log_ratio(second.second_moment, first.second_moment, padding, "the signal")
        if "sum" in walk.merged.get(before.node, ()):
            forward = Unknown("the signal is added to another one in between")
        if first.gradient is not None and second.gradient is not None:
            if not first.gradient.known() or not second.gradient.known():
                backward = first.gradient if not first.gradient.known() else second.gradient
            elif first.lifted != second.lifted:
                backward = Unknown("a zero weight stands in between")
            else:
                below = _arriving(signals, walk, before.node)
                backward = _log_ratio(first.gradient.get(), below.get(), padding + spread, "the gradient") if below.known() else below
    return Hop(before.parameter, after.parameter, forward, backward, padding, max(after.fan_in, 1))


def _spread(flow: Flow, start: int, end: int) -> float:
    """ln of how often adaptive pooling repeats each position between two weights (an image smaller than the model was made for), 0 for never."""
    times = 1.0
    for node in flow.nodes[start + 1 : end]:
        if (
            node.op.startswith(("_adaptive_avg_pool", "adaptive_avg_pool"))
            and flow.descends(end, node.id)
            and flow.descends(node.id, start)
        ):
            given = flow.nodes[node.inputs[0].node].shape
            axes = len(node.shape) - 2
            times *= max(math.prod(node.shape[-axes:]) / max(math.prod(given[-axes:]), 1), 1.0)
    return math.log(times)


def _arriving(signals: Mapping[int, SignalStats], walk: Steps, node: int) -> Fact[float]:
    """The gradients of all weights that read a value: what arrives at it comes from each of them."""
    if node in walk.returned:
        return Unknown("the value is also an output of the model")
    total = 0.0
    for reader in walk.following[node]:
        stats = signals.get(reader)
        gradient = stats.gradient if stats is not None else None
        if gradient is None or not gradient.known():
            return Unknown("gradient also arrives from where it was not measured")
        total += gradient.get()
    return Known(total)


def _log_ratio(above: float, below: float, padding: float, what: str) -> Fact[float]:
    if not (math.isfinite(above) and math.isfinite(below)):
        return Unknown(f"{what} is not finite")
    if below == 0:
        return Unknown(f"{what} is zero")
    if above == 0:
        return Known(-math.inf)
    return Known(math.log(above / below) - padding)


def _padding(node: Node) -> float:
    """ln of the share of live taps; zero where nothing is padded."""
    image, kernel = attribute(node, "shape_0"), attribute(node, "shape_1")
    if (
        node.op != "convolution"
        or attribute(node, "transposed", default=False)
        or not isinstance(image, tuple)
        or not isinstance(kernel, tuple)
    ):
        return 0.0
    axes = len(kernel) - 2
    sizes = [_axes(attribute(node, name), axes) for name in ("stride", "padding", "dilation")]
    try:
        taps = live_taps(image[-axes:], kernel[2:], *sizes)
    except NotKnown:
        return 0.0
    return math.log(taps / math.prod(kernel[2:])) if taps > 0 else 0.0


def _axes(value: object, axes: int) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return tuple(value) if len(value) == axes else tuple(value) * axes
    return (int(value),) * axes if isinstance(value, (int, float)) else (1,) * axes
