"""Softmax attentions: which weights make their queries and keys, and how far their content logits spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from initcheck.infer.dataflow.ops import attribute, transparent
from initcheck.infer.dataflow.products import is_product
from initcheck.infer.dataflow.roles import Roles
from initcheck.infer.network.streams import nearest_weights
from initcheck.records.evidence import Attention
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.graph import Node
from initcheck.records.stats import SignalStats

FUSED = "scaled_dot_product_attention"


@dataclass(slots=True)
class _Way:
    """From a softmax back to the products that make its logits."""

    products: list[Node]
    scales: set[str] = field(default_factory=set)
    factor: float | None = 1.0
    biased: bool = False


def attentions(roles: Roles, owners: Mapping[int, str], signals: Mapping[int, SignalStats]) -> tuple[Attention, ...]:
    """All live softmax attentions between data, in the order of execution."""
    found = []
    for node in roles.flow.nodes:
        if not (roles.flow.live[node.id] and roles.flow.carries[node.id]):
            continue
        if node.op == FUSED and len(roles.flow.data(node)) > 2:
            found.append(Attention(_projections(roles, node, owners), _fused(node, signals), _keys(node)))
        elif node.op == "softmax":
            way = _way(roles, node)
            names = tuple(dict.fromkeys(name for product in way.products for name in _projections(roles, product, owners)))
            names += tuple(sorted(way.scales - set(names)))
            if way.products:
                keys = node.shape[-1] if node.shape else 0
                found.append(Attention(names, _eager(node, way, signals), keys, biased=way.biased and way.factor is None))
    return tuple(found)


def _projections(roles: Roles, product: Node, owners: Mapping[int, str]) -> tuple[str, ...]:
    operands = roles.flow.data(product)[:2]
    return tuple(dict.fromkeys(name for edge in operands for name in nearest_weights(roles, edge, owners, norms=True)))


def _fused(node: Node, signals: Mapping[int, SignalStats]) -> Fact[float]:
    query = attribute(node, "shape_0")
    stats = signals.get(node.id)
    if stats is None or stats.row_variance is None or not isinstance(query, tuple) or not query:
        return Unknown("the attention logits were not measured")
    scale = attribute(node, "scale")
    factor = float(scale) if isinstance(scale, (int, float)) and not isinstance(scale, bool) else query[-1] ** -0.5
    return Known(stats.row_variance * factor**2)


def _keys(node: Node) -> int:
    key = attribute(node, "shape_1")
    return key[-2] if isinstance(key, tuple) and len(key) > 1 else 0


def _eager(node: Node, way: _Way, signals: Mapping[int, SignalStats]) -> Fact[float]:
    stats, product = signals.get(node.id), signals.get(way.products[0].id)
    if way.biased and way.factor is not None and len(way.products) == 1 and product is not None and product.row_variance is not None:
        return Known(product.row_variance * way.factor**2)
    if stats is None or stats.row_variance is None:
        return Unknown("the attention logits were not measured")
    return Known(stats.row_variance)


def _way(roles: Roles, softmax: Node) -> _Way:
    flow, way = roles.flow, _Way([])
    waiting, seen = [edge.node for edge in flow.data(softmax)], set()
    while waiting:
        node = flow.nodes[waiting.pop()]
        if node.id in seen:
            continue
        seen.add(node.id)
        data = flow.data(node)
        if is_product(flow, node):
            way.products.append(node)
            if node.op == "baddbmm" and attribute(node, "beta", 1) != 0:
                way.factor, way.biased = None, True  # what it adds may be a mask or a bias
        elif transparent(node) or node.op in ("where", "tanh"):
            _pass(way, node, len(data))
            if node.op in ("mul", "div"):
                way.scales |= {name for edge in node.inputs if edge not in data for name in flow.parameters(edge.node)[0]}
            waiting += [edge.node for edge in data]
    return way


def _pass(way: _Way, node: Node, data: int) -> None:
    """What one step between product and softmax does to the logits."""
    if node.op == "tanh":
        way.factor = None  # a soft cap: only the capped logits count
    elif node.op in ("mul", "div") and data == 1:
        other = attribute(node, "other")
        known = isinstance(other, (int, float)) and not isinstance(other, bool) and other != 0
        if way.factor is None or not known or not isinstance(other, (int, float)):
            way.factor = None
        else:
            way.factor *= float(other) if node.op == "mul" else 1 / float(other)
    way.biased |= node.op in ("add", "sub") and len(node.inputs) > data
