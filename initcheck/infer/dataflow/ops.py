"""THE table: operation names and the roles that they play; what stands nowhere is labelled, never guessed."""

from __future__ import annotations

from initcheck.records.graph import Node

PRODUCTS = frozenset(
    ("addmm", "mm", "bmm", "baddbmm", "addbmm", "addmv", "mv", "dot", "linear", "_trilinear", "_grouped_mm", "_addmm_activation")
)
CONVOLUTIONS = frozenset(("convolution",))
TABLES = frozenset(("embedding", "embedding_bag"))
WEIGHTED = PRODUCTS | CONVOLUTIONS | TABLES
"""Operations that multiply a weight; the bias of those in `BIASED` comes first."""
BIASED = frozenset(("addmm", "baddbmm", "addbmm", "addmv", "_addmm_activation"))

NONLINEARITIES = {
    word: word
    for word in (
        "relu",
        "leaky_relu",
        "prelu",
        "elu",
        "selu",
        "celu",
        "silu",
        "mish",
        "softplus",
        "softsign",
        "tanh",
        "sigmoid",
        "hardswish",
        "hardsigmoid",
        "sin",
        "softmax",
        "log_softmax",
        "log_sigmoid",
        "hardshrink",
        "softshrink",
        "threshold",
    )
} | {"rrelu": "leaky_relu"}
NORMS = {
    "native_batch_norm": "batch_norm",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    "rms_norm": "rms_norm",
    "instance_norm": "instance_norm",
}
CURVED = frozenset(
    (
        "pow",
        "square",
        "exp",
        "expm1",
        "log",
        "log1p",
        "sqrt",
        "rsqrt",
        "reciprocal",
        "abs",
        "cos",
        "erf",
        "atan",
        "sinh",
        "cosh",
        "sign",
        "where",
        "clamp",
        "clamp_min",
        "clamp_max",
    )
)
"""Elementwise functions that are nonlinear but have no role word of their own."""
REDUCTIONS = frozenset(
    ("mean", "sum", "var", "std", "var_mean", "linalg_vector_norm", "norm", "_linalg_vector_norm", "amax", "amin", "max", "min")
)
SUMS = frozenset(("add", "sub", "rsub", "lerp", "addcmul", "logaddexp"))
PRODUCTS_OF_DATA = frozenset(("mul", "div", "addcmul", "where", "maximum", "minimum", "masked_fill", "atan2"))
JOINS = frozenset(("cat", "stack", "slice_scatter", "index_put", "scatter", "index_add", "copy", "index_copy", "select_scatter"))
TRANSPARENT = frozenset(
    (
        "clone",
        "_to_copy",
        "to",
        "contiguous",
        "_unsafe_view",
        "view",
        "reshape",
        "permute",
        "native_dropout",
        "dropout",
        "bernoulli",
        "constant_pad_nd",
        "reflection_pad1d",
        "reflection_pad2d",
        "reflection_pad3d",
        "replication_pad1d",
        "replication_pad2d",
        "replication_pad3d",
        "pad",
        "flip",
        "roll",
        "repeat",
        "expand",
        "gather",
        "index",
        "index_select",
        "take_along_dim",
        "masked_fill",
        "masked_select",
        "tril",
        "triu",
        "neg",
        "add",
        "sub",
        "rsub",
        "mul",
        "div",
        "mean",
        "sum",
        "cumsum",
        "amax",
        "amin",
        "max",
        "min",
        "topk",
        "sort",
        "im2col",
        "col2im",
        "unfold",
        "pixel_shuffle",
        "pixel_unshuffle",
        "channel_shuffle",
        "native_channel_shuffle",
        "view_as_real",
        "view_as_complex",
        "_conj",
        "real",
        "imag",
        "complex",
        "alias",
        "detach",
        "lift_fresh",
        "nan_to_num",
        "grid_sampler_2d",
        "grid_sampler_3d",
        "repeat_interleave",
        "unbind",
        "split",
        "_reshape_alias",
        "as_strided",
        "_reshape_copy",
        "square_",
        "fill",
        "zero",
        "mkldnn_max_pool2d",
        *JOINS,
    )
)
NOISE = frozenset(("randn", "randn_like", "rand", "rand_like", "normal", "normal_functional", "exponential", "uniform"))
"""Operations that draw random numbers."""
POOLING = ("pool", "upsample", "interpolate", "unfold", "shuffle", "pad", "roi_align", "fft")
"""Parts of the names of operations that only gather or average positions."""


def attribute(node: Node, name: str, default: object = None) -> object:
    """One attribute of a node."""
    return dict(node.attributes).get(name, default)


def number(node: Node, name: str, default: float) -> float:
    """One numeric attribute of a node."""
    value = attribute(node, name, default)
    return float(value) if isinstance(value, (int, float)) else default


def nonlinearity(node: Node) -> str | None:
    """The role word of an elementwise operation with one operand; `custom:…` for one without a word; None for others."""
    if node.op == "gelu":
        return "gelu_tanh" if attribute(node, "approximate") == "tanh" else "gelu"
    if node.op == "hardtanh":
        return "relu6" if (number(node, "min_val", -1), number(node, "max_val", 1)) == (0.0, 6.0) else "hardtanh"
    if node.op == "glu":
        return "sigmoid"
    if node.op == "threshold" and (number(node, "threshold", 0), number(node, "value", 0)) == (0.0, 0.0):
        return "relu"
    if node.op in NONLINEARITIES:
        return NONLINEARITIES[node.op]
    if node.op in CURVED:
        return f"custom:{node.op}"
    return None


def transparent(node: Node) -> bool:
    """Whether a node only moves, averages or rescales what it is given."""
    return node.op in TRANSPARENT or any(part in node.op for part in POOLING)
