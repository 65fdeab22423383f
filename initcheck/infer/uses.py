"""How each parameter is used: as a weight, a table, a norm's scale, an elementwise factor or an added term."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.infer.flow import Flow, is_weighted
from initcheck.infer.ops import BIASED, JOINS, NORMS, SUMS, TABLES, attribute, number
from initcheck.records.graph import Edge, Node


@dataclass(frozen=True, slots=True)
class Use:
    """One operation that uses a parameter; `reads` are the data operands that it meets, `derived` as in `Layer`."""

    parameter: str
    node: int
    kind: str
    reads: tuple[Edge, ...]
    fan_in: int
    fan_out: int
    groups: int = 1
    blocks: int = 1
    cell: str = ""
    derived: bool = False


def uses(flow: Flow, shapes: dict[str, tuple[int, ...]]) -> list[Use]:
    """All uses of all parameters in the order of execution."""
    found: list[Use] = []
    for node in flow.nodes:
        if flow.carries[node.id] and node.op not in ("input", "parameter", "constant"):
            for slot, edge in enumerate(node.inputs):
                if not flow.carries[edge.node]:
                    names, derived = flow.parameters(edge.node)
                    found += [_use(flow, node, slot, name, shapes.get(name, ()), derived=derived) for name in sorted(names)]
    return found


def _use(flow: Flow, node: Node, slot: int, name: str, shape: tuple[int, ...], *, derived: bool) -> Use:
    reads = tuple(flow.data(node))
    if node.op == "recurrent":
        return _recurrent(node, name, shape, reads)
    if node.op in TABLES:
        return Use(name, node.id, "embedding", (), 1, 1, derived=derived)
    if node.op in NORMS:
        return Use(name, node.id, "norm" if slot == 1 else "bias", reads, 1, 1, derived=derived)
    if is_weighted(node):
        return _weight(node, slot, name, shape, reads, derived=derived)
    # a token that is put beside the data or in its place (class token, mask token) is no weight either
    added = node.op in SUMS or node.op in JOINS or node.op in ("where", "masked_scatter")
    kind = "bias" if added else "scale" if node.op in ("mul", "div", "addcmul") else "other"
    return Use(name, node.id, kind, reads, 1, 1, derived=derived)


def _weight(node: Node, slot: int, name: str, shape: tuple[int, ...], reads: tuple[Edge, ...], *, derived: bool) -> Use:
    bias = slot == 0 if node.op in BIASED else slot == 2
    if node.op == "_trilinear":
        bias = False
    if bias or len(shape) == 0:
        return Use(name, node.id, "bias", reads, 1, 1, derived=derived)
    if node.op == "convolution":
        return _convolution(node, name, reads, derived=derived)
    if node.op == "_trilinear":
        out, first, second = shape if len(shape) == 3 else (1, 1, 1)
        return Use(name, node.id, "bilinear", reads, first * second, out * max(first, second), derived=derived)
    matrix = attribute(node, f"shape_{slot}", shape)
    rows, columns = (matrix[-2], matrix[-1]) if isinstance(matrix, tuple) and len(matrix) > 1 else (1, shape[0])
    left = slot < max((index for index in range(len(node.inputs)) if index != slot and node.inputs[index] in reads), default=slot)
    fan_in, fan_out = (columns, rows) if left else (rows, columns)
    linear = len(shape) == 2 and shape == (fan_out, fan_in)
    return Use(name, node.id, "linear" if linear else "matmul", reads, fan_in, fan_out, derived=derived)


def _convolution(node: Node, name: str, reads: tuple[Edge, ...], *, derived: bool) -> Use:
    kernel = attribute(node, "shape_1", (1, 1))
    sizes = kernel if isinstance(kernel, tuple) else (1, 1)
    groups = int(number(node, "groups", 1))
    stride = attribute(node, "stride", (1,))
    area = 1
    for step in stride if isinstance(stride, tuple) else (1,):
        area *= step
    taps = 1
    for size in sizes[2:]:
        taps *= size
    if attribute(node, "transposed", default=False):
        fan_in, fan_out = sizes[0] // groups * taps / area, sizes[1] * taps
        kind = "conv_transpose"
    else:
        fan_in, fan_out = sizes[1] * taps, sizes[0] // groups * taps / area
        kind = "conv"
    return Use(name, node.id, kind, reads, max(round(fan_in), 1), max(round(fan_out), 1), groups, derived=derived)


def _recurrent(node: Node, name: str, shape: tuple[int, ...], reads: tuple[Edge, ...]) -> Use:
    cell = str(attribute(node, "cell", "") or "").lower().split("_")[0]
    blocks = {"lstm": 4, "gru": 3}.get(cell, 1)
    leaf = name.rpartition(".")[2]
    if leaf.startswith("bias"):
        return Use(name, node.id, "bias", reads, 1, 1, cell=cell, blocks=blocks)
    rows = shape[0] // blocks if shape else 1
    return Use(name, node.id, "recurrent", reads, shape[1] if len(shape) > 1 else 1, rows, cell=cell, blocks=blocks)
