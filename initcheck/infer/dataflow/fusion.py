"""Regions with one source: several operations that together are one nonlinearity, one normalization, or nothing at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.infer.dataflow.flow import LEAVES, Flow, is_weighted
from initcheck.infer.dataflow.ops import CURVED, JOINS, NORMS, REDUCTIONS, SUMS, nonlinearity, number, transparent
from initcheck.records.graph import Edge, Node

OPAQUE = ("recurrent", "custom", "scaled_dot_product_attention", "softmax", "log_softmax")
COMPARISONS = ("gt", "ge", "lt", "le")
CHAINS = (
    (("reciprocal", "add", "exp", "neg"), "sigmoid"),
    (("log", "add", "exp"), "softplus"),
    (("log1p", "exp"), "softplus"),
)
"""Nonlinearities spelled out, last operation first."""
LARGEST = 64
"""Most operations in one region; hand-written nonlinearities and norms stay far below."""


@dataclass(frozen=True, slots=True)
class Region:
    """Operations between `source` and `end`; `role` is a role word, or empty for a transparent region.

    `parameter` holds the slope of a leaky_relu where it could be read.
    """

    source: Edge
    end: int
    members: frozenset[int]
    role: str
    parameter: tuple[float, ...] = ()

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
    chain = _chain(flow, node)
    if chain is not None:
        return chain
    data, masks = flow.data(node), _masks(flow, node)
    squared = len(data) == 1 and not masks and _is_square(node)
    if squared or (len(data) > 1 and data[0] == data[-1]):
        return _square(flow, node, data, squared=squared)
    found = _search(flow, node, [*data, *masks], ends) if masks else None
    return found or (_search(flow, node, data, ends) if len(data) > 1 else None)


def _search(flow: Flow, node: Node, data: list[Edge], ends: dict[int, Region]) -> Region | None:
    """Climbs from the operands of a node, latest first, until all of them stem from one value."""
    members: set[int] = {node.id}
    operands: set[Edge] = set(data)
    while len(operands) > 1:
        top = max(operands, key=lambda edge: edge.node)
        if len(members) > LARGEST or not _open(flow, flow.nodes[top.node], ends):
            return _rotation(flow, node, members, operands)
        same = {edge for edge in operands if edge.node == top.node}
        operands -= same
        if top.node in ends:
            members |= ends[top.node].members
            operands.add(ends[top.node].source)
            continue
        members.add(top.node)
        # the parts in which a value is read stay apart: a gate made of two halves is no nonlinearity
        operands |= {
            Edge(edge.node, edge.view or _keep(part.view, flow, edge, part)) for part in same for edge in flow.data(flow.nodes[top.node])
        }
    return _made(flow, node, members, next(iter(operands)))


def _made(flow: Flow, node: Node, members: set[int], source: Edge) -> Region | None:
    nodes = [flow.nodes[member] for member in sorted(members)]
    role = _role(nodes, flow)
    if role is None or (role and any(member.op in JOINS and len(flow.data(member)) > 1 for member in nodes)):
        return None
    slopes = [number(member, "other", 0.01) for member in nodes if member.op == "mul"] if role == "leaky_relu" else []
    return Region(source, node.id, frozenset(members), role, tuple(slopes) if len(slopes) == 1 else ())


def _square(flow: Flow, node: Node, data: list[Edge], *, squared: bool) -> Region | None:
    """A value times itself: of a relu it is one nonlinearity; a power alone has a word of its own already."""
    before = flow.nodes[data[0].node]
    if node.op != "mul" and not squared:
        return Region(data[0], node.id, frozenset((node.id,)), "") if node.op in SUMS else None
    if nonlinearity(before) == "relu":
        return Region(flow.data(before)[0], node.id, frozenset((node.id, before.id)), "relu2")
    return None if squared else Region(data[0], node.id, frozenset((node.id,)), "custom:square")


def _chain(flow: Flow, node: Node) -> Region | None:
    """A sigmoid or softplus spelled as a chain of elementary functions of one operand."""
    spelled: list[str] = []
    members: list[int] = []
    here = node
    while len(spelled) < 4 and here.op in ("reciprocal", "add", "exp", "neg", "log", "log1p") and len(flow.data(here)) == 1:
        if here.op == "add" and number(here, "other", 1.0) != 1:
            break
        spelled.append(here.op)
        members.append(here.id)
        source = flow.data(here)[0]
        for words, role in CHAINS:
            if tuple(spelled) == words:
                return Region(source, node.id, frozenset(members), role)
        here = flow.nodes[source.node]
    return None


def _masks(flow: Flow, node: Node) -> list[Edge]:
    """Operands that are comparisons of data: `x * (x > 0)`."""
    if node.op not in ("mul", "where", "masked_fill"):
        return []
    return [edge for edge in node.inputs if flow.nodes[edge.node].op in COMPARISONS and flow.data(flow.nodes[edge.node])]


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
    if node.op in COMPARISONS:
        return True
    return transparent(node) or nonlinearity(node) is not None or node.op in REDUCTIONS or node.op in CURVED


def _role(members: list[Node], flow: Flow) -> str | None:
    ops = {node.op for node in members}
    if ops & set(COMPARISONS):
        return _masked(ops, members, flow)
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


def _masked(ops: set[str], members: list[Node], flow: Flow) -> str:
    """A nonlinearity in pieces that a comparison with zero chooses."""
    rest = ops - {*COMPARISONS, "clone", "_to_copy"}
    if all(number(node, "other", math.nan) == 0 for node in members if node.op in COMPARISONS):
        pieces = max((len(flow.data(node)) for node in members if node.op == "where"), default=0)
        if (pieces == 0 and rest <= {"mul"}) or (pieces == 1 and rest == {"where"}) or rest == {"masked_fill"}:
            return "relu"
        if pieces == 2 and rest == {"where", "mul"}:
            return "leaky_relu"
        if pieces == 2 and rest & {"exp", "expm1"}:
            return "elu"
    return "custom:" + "+".join(sorted(ops - {"clone", "_to_copy"}))


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
