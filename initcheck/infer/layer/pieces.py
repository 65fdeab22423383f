"""Maxout: which maxima choose among linear pieces of one layer, rather than pool positions."""

from __future__ import annotations

from initcheck.infer.dataflow.flow import Flow
from initcheck.infer.dataflow.ops import transparent
from initcheck.records.graph import Node

MOST = 16
"""More pieces than this are no maxout but a summary of all features."""


def pieces(flow: Flow, node: Node) -> int:
    """How many features of one value each entry is the largest of; 0 for a node that is no such maximum."""
    data = flow.data(node)
    if node.op in ("max", "amax") and len(data) == 1:
        return _grouped(flow.nodes[data[0].node].shape, node.shape)
    if node.op == "maximum" and len(data) == 2 and data[0].node == data[1].node and data[0].view and data[1].view:
        return 2 if data[0].view != data[1].view else 0
    return 0


def frequency(flow: Flow, node: Node) -> float | None:
    """The constant that the argument of a sine is multiplied by since the weight; None where that cannot be told."""
    factor = 1.0
    while True:
        data = flow.data(node)
        if len(data) != 1:
            return None
        node = flow.nodes[data[0].node]
        operand = dict(node.attributes).get("other")
        if node.op in ("mul", "div") and len(flow.data(node)) == 1:
            if not isinstance(operand, (int, float)) or operand == 0:
                return None
            factor = factor * operand if node.op == "mul" else factor / operand
        elif not transparent(node) or not flow.data(node):
            return abs(factor)


def _grouped(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """The number of features per result when only the feature axis became shorter, else 0."""
    axis = 1 if len(before) > 2 and before[2:] == after[2:] and len(after) == len(before) else -1
    if len(before) < 2 or not after or after[axis] == 0 or before[axis] % after[axis]:
        return 0
    rest = list(before), list(after)
    for shape in rest:
        del shape[axis]
    many = before[axis] // after[axis]
    same = _count(rest[0]) == _count(rest[1])
    return many if same and 2 <= many <= MOST and after[axis] > 1 else 0


def _count(shape: list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
