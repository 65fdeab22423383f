"""How each parameter is used: as a weight, a table, a norm's scale, an elementwise factor or an added term."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from initcheck.errors import NotKnown
from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.ops import BIASED, JOINS, NORMS, SUMS, TABLES, attribute, number
from initcheck.records.graph import Edge, Node
from initcheck.theory.fans import Fans, bilinear, contraction, conv, conv_transpose, embedding, live_taps_transposed, packed

AXES = {
    "mm": ("nk", "km", "nm"),
    "addmm": ("nk", "km", "nm"),
    "_addmm_activation": ("nk", "km", "nm"),
    "bmm": ("bnk", "bkm", "bnm"),
    "baddbmm": ("bnk", "bkm", "bnm"),
    "addbmm": ("bnk", "bkm", "nm"),
    "mv": ("nk", "k", "n"),
    "addmv": ("nk", "k", "n"),
    "dot": ("k", "k", ""),
    "linear": ("nk", "mk", "nm"),
    # every row of the first factor belongs to one matrix of the second
    "_grouped_mm": ("bnk", "bkm", "bnm"),
}
"""The axes of the two factors of each product and of its result, as an einsum would name them."""
NONE = Fans(1, 1)


@dataclass(frozen=True, slots=True)
class Use:
    """One operation that uses a parameter; `reads` are the data operands that it meets, `derived` as in `Layer`."""

    parameter: str
    node: int
    kind: str
    reads: tuple[Edge, ...]
    fans: Fans = NONE
    groups: int = 1
    blocks: int = 1
    cell: str = ""
    derived: bool = False

    @property
    def fan_in(self) -> int:
        """The fan_in as a whole number."""
        return self.fans.whole[0]

    @property
    def fan_out(self) -> int:
        """The fan_out as a whole number."""
        return self.fans.whole[1]


def uses(flow: Flow, shapes: dict[str, tuple[int, ...]]) -> list[Use]:
    """All uses of all parameters in the order of execution."""
    found: list[Use] = []
    for node in flow.nodes:
        if flow.carries[node.id] and node.op not in ("input", "parameter", "constant"):
            for slot, edge in enumerate(node.inputs):
                if not flow.carries[edge.node]:
                    names, derived = flow.parameters(edge.node)
                    made = [_use(flow, node, slot, name, shapes.get(name, ()), derived=derived) for name in sorted(names)]
                    found += [_vector(flow, use) if len(made) > 1 and len(shapes.get(use.parameter, ())) < 2 else use for use in made]
    return found


def _vector(flow: Flow, use: Use) -> Use:
    """A vector that a weight was computed with is no weight itself: added on the way it is a bias, else a scale."""
    if use.kind not in ("linear", "matmul", "conv", "conv_transpose", "bilinear"):
        return use
    leaves = [node.id for node in flow.nodes if node.op == "parameter" and use.parameter in node.parameters]
    readers = [(flow.nodes[reader], slot) for leaf in leaves for reader, slot in flow.readers[leaf]]
    added = any(node.op in SUMS or (node.op in BIASED and slot == 0) or (is_weighted(node) and slot == 2) for node, slot in readers)
    return replace(use, kind="bias" if added else "scale", fans=NONE)


def _use(flow: Flow, node: Node, slot: int, name: str, shape: tuple[int, ...], *, derived: bool) -> Use:
    reads = tuple(flow.data(node))
    if node.op == "recurrent":
        return _recurrent(node, name, shape, reads)
    if node.op in TABLES:
        return Use(name, node.id, "embedding", (), _table(flow, node, shape), derived=derived)
    if node.op in NORMS:
        return Use(name, node.id, "norm" if slot == 1 else "bias", reads, derived=derived)
    if is_weighted(node):
        return _weight(node, slot, name, shape, reads, derived=derived)
    # a token that is put beside the data or in its place (class token, mask token) is no weight either
    added = node.op in SUMS or node.op in JOINS or node.op in ("where", "masked_scatter")
    kind = "bias" if added else "scale" if node.op in ("mul", "div", "addcmul") else "other"
    return Use(name, node.id, kind, reads, derived=derived)


def _table(flow: Flow, node: Node, shape: tuple[int, ...]) -> Fans:
    if len(shape) < 2:
        return NONE
    if node.op != "embedding_bag":
        return embedding(shape)
    index = flow.nodes[node.inputs[1].node].shape
    bags = node.shape[0] if node.shape else 0
    mode = {0: "sum", 1: "mean"}.get(int(number(node, "mode", 0)), "max")
    try:
        return embedding(shape, max(1, round(math.prod(index) / bags)) if bags else 1, mode)
    except NotKnown:
        return embedding(shape)


def _weight(node: Node, slot: int, name: str, shape: tuple[int, ...], reads: tuple[Edge, ...], *, derived: bool) -> Use:
    bias = slot == 0 if node.op in BIASED else slot == 2
    if node.op == "_trilinear":
        bias = False
    if bias or len(shape) == 0:
        return Use(name, node.id, "bias", reads, derived=derived)
    if node.op == "convolution":
        return _convolution(node, name, shape, reads, derived=derived)
    if node.op == "_trilinear":
        fans = bilinear(shape) if len(shape) == 3 else NONE
        return Use(name, node.id, "bilinear", reads, fans, derived=derived)
    fans = _product(node, slot, shape)
    linear = len(shape) == 2 and shape == (fans.fan_out, fans.fan_in)
    return Use(name, node.id, "linear" if linear else "matmul", reads, fans, derived=derived)


def _product(node: Node, slot: int, shape: tuple[int, ...]) -> Fans:
    first, second, result = AXES[node.op]
    operand = slot - 1 if node.op in BIASED else slot
    mine, other = (first, second) if operand == 0 else (second, first)
    matrix = attribute(node, f"shape_{slot}", shape)
    sizes = matrix if isinstance(matrix, tuple) else shape
    axes = min(len(mine), len(sizes))
    return contraction(mine[-axes:], sizes[-axes:], other, result).stored_as(shape)


def _convolution(node: Node, name: str, shape: tuple[int, ...], reads: tuple[Edge, ...], *, derived: bool) -> Use:
    found = attribute(node, "shape_1", shape)
    kernel = found if isinstance(found, tuple) else shape
    groups = int(number(node, "groups", 1))
    steps = attribute(node, "stride", (1,))
    stride = steps if isinstance(steps, tuple) else (1,)
    if attribute(node, "transposed", default=False):
        return Use(
            name,
            node.id,
            "conv_transpose",
            reads,
            conv_transpose(kernel, groups, stride, _single(node, kernel)).stored_as(shape),
            groups,
            derived=derived,
        )
    return Use(name, node.id, "conv", reads, conv(kernel, groups, stride).stored_as(shape), groups, derived=derived)


def _single(node: Node, kernel: tuple[int, ...]) -> float | None:
    """The live taps of a transposed convolution that unfolds a single position into a map, which has no interior; None for others."""
    image = attribute(node, "shape_0")
    axes = len(kernel) - 2
    if not isinstance(image, tuple) or math.prod(image[-axes:]) != 1:
        return None
    sizes = [attribute(node, key, default) for key, default in (("stride", 1), ("padding", 0), ("dilation", 1), ("output_padding", 0))]
    spread = [tuple(size) if isinstance(size, tuple) and len(size) == axes else (0,) * axes for size in sizes]
    try:
        return live_taps_transposed(image[-axes:], kernel[2:], *spread)
    except NotKnown:
        return None


def _recurrent(node: Node, name: str, shape: tuple[int, ...], reads: tuple[Edge, ...]) -> Use:
    cell = str(attribute(node, "cell", "") or "").lower().split("_")[0]
    leaf = name.rpartition(".")[2]
    # the projection of an LSTM with `proj_size` is a plain matrix
    blocks = 1 if leaf.startswith("weight_hr") else {"lstm": 4, "gru": 3}.get(cell, 1)
    if leaf.startswith("bias") or len(shape) < 2:
        return Use(name, node.id, "bias" if leaf.startswith("bias") else "recurrent", reads, cell=cell, blocks=blocks)
    fans = packed(shape, blocks if shape[0] % blocks == 0 else 1)
    return Use(name, node.id, "recurrent", reads, fans, cell=cell, blocks=blocks)
