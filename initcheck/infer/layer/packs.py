"""Weights that hold several matrices: the parts of one output that go separate ways (q, k and v; gate and up)."""

from __future__ import annotations

import math

from initcheck.infer.dataflow.flow import Flow
from initcheck.records.graph import Node

MOST = 8
"""More parts than this are no packed matrices, but a layer whose single outputs are told apart (a detection head)."""
MOVES = ("add", "clone", "contiguous", "_to_copy")


def separate(flow: Flow, start: int) -> tuple[int, ...]:
    """The widths, in output features, of the parts that are read apart from each other; empty where the output is read whole.

    Parts that alternate (q, k and v of the first head, then of the second) are summed over the heads.
    """
    node = flow.nodes[start]
    if len(node.shape) < 2:
        return ()
    waiting, views = [node], set()
    while waiting:
        here = waiting.pop()
        stacked = _stacked(flow, node, here)
        if stacked:
            return (_features(node) // stacked,) * stacked
        for reader, edge in flow.consumers(here.id):
            if edge.view:
                views.add(edge.view)
            elif reader.op in MOVES and len(flow.data(reader)) == 1 and math.prod(reader.shape) == math.prod(node.shape):
                waiting.append(reader)
            else:
                return ()
    return _tiles(node, views)


def _features(node: Node) -> int:
    return node.shape[1] if node.op == "convolution" else node.shape[-1]


def _stacked(flow: Flow, node: Node, here: Node) -> int:
    """How many equal slices along its first axis a copy is read in, when that axis was split off the features; else 0."""
    count = here.shape[0] if here.shape else 0
    if here.op not in ("clone", "contiguous") or not 2 <= count <= MOST or _features(node) != count * here.shape[-1]:
        return 0
    whole = [_axes(edge.view) for _, edge in flow.consumers(here.id)]
    widths = {axes[0][0] for _, axes in whole if len(axes) == 1}
    starts = {offset for offset, _ in whole}
    single = len(widths) == 1 and all(len(axes) == 1 for _, axes in whole)
    return count if single and starts == {index * next(iter(widths)) for index in range(count)} else 0


def _tiles(node: Node, views: set[str]) -> tuple[int, ...]:
    """Widths of the intervals of features that the views cover, when they tile all of them without overlap."""
    features, elements = _features(node), math.prod(node.shape)
    unit = math.prod(node.shape[2:]) if node.op == "convolution" else 1
    intervals: set[tuple[float, float, float]] = set()
    for view in views:
        offset, axes = _axes(view)
        if len(axes) != 2:
            continue  # a further cut of one part, such as the halves of each head that rotary positions turn
        (rows, step), (width, _) = axes
        scale = rows * step / elements * unit
        intervals.add((step / scale, offset / scale, width / scale))
    periods = {period for period, _, _ in intervals}
    period = periods.pop() if len(periods) == 1 else 0
    if not period or features % period:
        return ()
    outer = [(begin, size) for _, begin, size in intervals if not any(_nested((begin, size), other[1:]) for other in intervals)]
    outer.sort()
    ends = [0.0, *(begin + size for begin, size in outer)]
    if not 2 <= len(outer) <= MOST or ends[-1] != period or any(begin != end for (begin, _), end in zip(outer, ends, strict=False)):
        return ()
    return tuple(round(size * features / period) for _, size in outer)


def _nested(inner: tuple[float, float], outer: tuple[float, ...]) -> bool:
    return inner != outer and outer[0] <= inner[0] and inner[0] + inner[1] <= outer[0] + outer[1]


def _axes(view: str) -> tuple[int, list[tuple[int, int]]]:
    """First byte, and (size, stride in bytes) of each axis, as `Edge.view` spells them; no axes for the whole."""
    offset, _, text = view.partition(":")
    if not text:
        return 0, []
    return int(offset), [(int(size), int(stride)) for size, _, stride in (axis.partition("x") for axis in text.split(","))]
