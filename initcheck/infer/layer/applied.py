"""In what form data meet a parameter: as it is, as 1 + w, through exp, as a divisor."""

from __future__ import annotations

import math

from initcheck.errors import NotKnown
from initcheck.infer.dataflow.flow import Flow
from initcheck.infer.dataflow.ops import TABLES, attribute, number
from initcheck.infer.layer.uses import Use
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.graph import Edge, Node
from initcheck.records.stats import SignalStats, WeightStats

MOVES = frozenset(
    ("clone", "_to_copy", "to", "contiguous", "view", "alias", "detach", "index", "index_select", "gather", "expand", "repeat", *TABLES)
)
"""Operations that hand on elements as they are."""


def affine(flow: Flow, use: Use) -> Fact[tuple[float, float]]:
    """The numbers (a, b) such that the data meet a * w + b."""
    try:
        return Known(_affine(flow, _operand(flow, use)))
    except NotKnown as unknown:
        return Unknown(unknown.reason)


def value(flow: Flow, use: Use, stats: WeightStats | None) -> Fact[float]:
    """What a scale with one value multiplies the data by; infinite for a divisor of zero."""
    if stats is None or not (stats.numel == 1 or stats.constant):
        return Unknown("the scale has many values")
    try:
        edge = _operand(flow, use)
        made = _value(flow, flow.nodes[edge.node], stats.mean)
    except NotKnown as unknown:
        return Unknown(unknown.reason)
    divides = flow.nodes[use.node].op == "div" and flow.nodes[use.node].inputs[-1] == edge
    return Known(_reciprocal(made) if divides else made)


def applied_second_moment(flow: Flow, use: Use, signal: SignalStats | None) -> Fact[float]:
    """E[p^2] of the operand that the parameter became, as it arrived at its use."""
    return _moment(flow, use, signal, data=False)


def met_second_moment(flow: Flow, use: Use, signal: SignalStats | None) -> Fact[float]:
    """E[x^2] of the data operand that the parameter meets in a sum or product."""
    return _moment(flow, use, signal, data=True)


def _moment(flow: Flow, use: Use, signal: SignalStats | None, *, data: bool) -> Fact[float]:
    node = flow.nodes[use.node]
    if signal is None or len(signal.operands) != len(node.inputs) or len(node.inputs) != 2:
        return Unknown("the operands were not measured here")
    found = [moment for edge, moment in zip(node.inputs, signal.operands, strict=True) if flow.carries[edge.node] == data]
    if len(found) != 1 or found[0] is None:
        return Unknown("the operand was overwritten, or is not one alone")
    return Known(found[0])


def _operand(flow: Flow, use: Use) -> Edge:
    """The operand of the use that is made of the parameter.

    Raises:
        NotKnown: when there is none, or another parameter takes part in it.
    """
    found = [
        edge
        for edge in flow.nodes[use.node].inputs
        if not flow.carries[edge.node] and use.parameter in (names := flow.parameters(edge.node)[0]) and len(names) == 1
    ]
    if len(found) != 1:
        raise NotKnown("other parameters take part in what the data meet")
    return found[0]


def _affine(flow: Flow, edge: Edge) -> tuple[float, float]:
    node = flow.nodes[edge.node]
    if node.op == "parameter":
        return 1.0, 0.0
    below = [operand for operand in node.inputs if flow.parameters(operand.node)[0]]
    if len(below) != 1:
        raise NotKnown(f"computed by {node.op} of several operands")
    scale, offset = _affine(flow, below[0])
    if node.op in MOVES:
        return scale, offset
    factor, added = _step(node)
    return scale * factor, offset * factor + added


def _step(node: Node) -> tuple[float, float]:
    """One operation with a plain number, as factor and addend."""
    other = attribute(node, "other")
    if node.op == "neg":
        return -1.0, 0.0
    if not isinstance(other, (int, float)) or len(node.inputs) != 1:
        raise NotKnown(f"computed by {node.op}")
    alpha = number(node, "alpha", 1.0)
    if node.op == "add":
        return 1.0, alpha * other
    if node.op == "sub":
        return 1.0, -alpha * other
    if node.op == "rsub":
        return -alpha, float(other)
    if node.op == "mul":
        return float(other), 0.0
    if node.op == "div" and other:
        return 1.0 / other, 0.0
    raise NotKnown(f"computed by {node.op}")


def _value(flow: Flow, node: Node, given: float) -> float:
    if node.op == "parameter":
        return given
    below = [operand for operand in node.inputs if flow.parameters(operand.node)[0]]
    if len(below) != 1:
        raise NotKnown(f"computed by {node.op} of several operands")
    before = _value(flow, flow.nodes[below[0].node], given)
    if node.op in MOVES:
        return before
    curved = _curved(node, before)
    if curved is not None:
        return curved
    factor, added = _step(node)
    return factor * before + added


def _curved(node: Node, x: float) -> float | None:
    """An elementwise function of one number, computed as it is; None for one that is not here."""
    if node.op == "exp":
        return math.exp(min(x, 700.0))
    if node.op == "softplus":
        beta = number(node, "beta", 1.0)
        return (max(beta * x, 0.0) + math.log1p(math.exp(-abs(beta * x)))) / beta
    if node.op == "sigmoid":
        return 0.5 * (1.0 + math.tanh(0.5 * x))
    if node.op == "hardtanh":
        return min(max(x, number(node, "min_val", -1.0)), number(node, "max_val", 1.0))
    if node.op in ("clamp", "clamp_min", "clamp_max", "relu"):
        low = 0.0 if node.op == "relu" else number(node, "min", -math.inf)
        return min(max(x, low), number(node, "max", math.inf))
    if node.op == "pow":
        return float(x ** number(node, "exponent", 1.0)) if x > 0 else None
    plain = {"tanh": math.tanh(x), "reciprocal": _reciprocal(x), "abs": abs(x), "square": x * x}
    if node.op == "sqrt" and x >= 0:
        return math.sqrt(x)
    return plain.get(node.op)


def _reciprocal(x: float) -> float:
    return 1.0 / x if x else math.inf
