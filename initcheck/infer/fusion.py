"""Regions with one source: several operations that together are one nonlinearity, one normalization, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.infer.flow import LEAVES, Flow, is_weighted
from initcheck.infer.ops import CURVED, NORMS, REDUCTIONS, nonlinearity, number, transparent
from initcheck.records.graph import Edge, Node

OPAQUE = ("recurrent", "custom", "scaled_dot_product_attention", "softmax", "log_softmax")
LARGEST = 64
"""Most operations in one region; hand-written nonlinearities and norms stay far below."""


@dataclass(frozen=True, slots=True)
class Region:
    """Operations between `source` and `end`; `role` is a role word, or empty for a transparent region."""

    source: Edge
    end: int
    members: frozenset[int]
    role: str

    @property
    def norm(self) -> bool:
        """Whether the region is a normalization."""
        return self.role.endswith("_norm")


def regions(flow: Flow) -> dict[int, Region]:
    """For each node inside a region the outermost region that it belongs to."""
    ends: dict[int, Region] = {}
    inside: dict[int, Region] = {}
    for node in flow.nodes:
        if not flow.carries[node.id] or is_weighted(node) or node.op in LEAVES or node.op in OPAQUE or node.op in NORMS:
            continue
        found = _region(flow, node, ends)
        if found is None:
            continue
        ends[node.id] = found
        for member in found.members:
            inside[member] = found
    return inside


def _region(flow: Flow, node: Node, ends: dict[int, Region]) -> Region | None:
    data = flow.data(node)
    squared = len(data) == 1 and _is_square(node)
    if len(data) < 2 and not squared:
        return None
    members: set[int] = {node.id}
    operands: set[Edge] = set(data)
    while len(operands) > 1:
        top = max(operands, key=lambda edge: edge.node)
        if len(members) > LARGEST or not _open(flow, flow.nodes[top.node], ends):
            return _rotation(flow, node, members, operands)
        same = {edge for edge in operands if edge.node == top.node}
        operands -= same
        if top.node in ends:
            inner = ends[top.node]
            members |= inner.members
            operands.add(inner.source)
            continue
        members.add(top.node)
        view = top.view if len(same) == 1 else ""
        operands |= {Edge(edge.node, edge.view or _keep(view, flow, edge, top)) for edge in flow.data(flow.nodes[top.node])}
    source = next(iter(operands))
    before = flow.nodes[source.node]
    if squared or (data[0] == data[-1] and members == {node.id}):
        if nonlinearity(before) != "relu":
            return None if squared else Region(source, node.id, frozenset(members), "custom:square")
        members.add(before.id)
        source = flow.data(before)[0]
    role = _role([flow.nodes[member] for member in sorted(members)], flow)
    return None if role is None else Region(source, node.id, frozenset(members), role)


def _rotation(flow: Flow, node: Node, members: set[int], operands: set[Edge]) -> Region | None:
    """Several parts of one value, moved, scaled and added up (rotary positions): a transparent region."""
    sources = {edge.node for edge in operands}
    if len(sources) > 1 or _role([flow.nodes[member] for member in sorted(members)], flow) != "":
        return None
    return Region(Edge(sources.pop()), node.id, frozenset(members), "")


def _keep(view: str, flow: Flow, edge: Edge, top: Edge) -> str:
    # a part of an elementwise result is the same part of its operand when the shapes agree
    return view if flow.nodes[edge.node].shape == flow.nodes[top.node].shape else ""


def _is_square(node: Node) -> bool:
    return node.op == "square" or (node.op == "pow" and number(node, "exponent", 0) == 2)


def _open(flow: Flow, node: Node, ends: dict[int, Region]) -> bool:
    """Whether the search may pass through a node: not through layers, leaves, normalizations or unknown operations."""
    if node.op in LEAVES or is_weighted(node) or node.op in OPAQUE or node.op in NORMS or not flow.data(node):
        return False
    if node.id in ends:
        return not ends[node.id].norm
    known = transparent(node) or nonlinearity(node) is not None or node.op in REDUCTIONS or node.op in CURVED
    return known


def _role(members: list[Node], flow: Flow) -> str | None:
    ops = {node.op for node in members}
    products = [
        node for node in members if len(flow.data(node)) > 1 and node.op in ("mul", "div", "addcmul", "where", "maximum", "minimum")
    ]
    curved = {word for node in members if (word := nonlinearity(node)) is not None}
    if not curved and not products and not ops & {"var", "std", "var_mean", "linalg_vector_norm"}:
        return ""
    named = {word for word in curved if not word.startswith("custom:")}
    if ops & {"mean", "sum", "var", "std", "var_mean", "linalg_vector_norm", "norm"}:
        if "exp" in ops and "div" in ops:
            return "softmax"
        if ops & {"div", "rsqrt", "reciprocal"}:
            return "layer_norm" if ops & {"sub", "rsub", "var", "std", "var_mean"} else "rms_norm"
        return None
    return _named(ops, named, members)


def _named(ops: set[str], named: set[str], members: list[Node]) -> str | None:
    multiplies = bool(ops & {"mul", "pow", "square", "addcmul"})
    if named == {"sigmoid"} and multiplies:
        scaled = [node for node in members if node.op == "mul" and abs(abs(number(node, "other", 1.0)) - 1.702) < 0.01]
        return "gelu" if scaled else "silu"
    if "erf" in ops:
        return "gelu"
    if named == {"relu"} and multiplies and ops <= {"relu", "mul", "pow", "square", "clone", "_to_copy"}:
        return "relu2"
    if named == {"tanh", "softplus"} or ("tanh" in named and ops & {"log1p", "exp", "log"}):
        return "mish"
    if named == {"tanh"} and multiplies and ("add" in ops or "sub" in ops):
        return "gelu_tanh"
    if ops >= {"abs", "div"}:
        return "softsign"
    if named & {"relu6", "hardtanh"} and multiplies:
        return "hardswish"
    if "where" in ops and ops & {"exp", "expm1"}:
        return "elu"
    if ops & {"where", "maximum"} and not named:
        return "leaky_relu"
    return "custom:" + "+".join(sorted(ops - {"clone", "_to_copy"}))
