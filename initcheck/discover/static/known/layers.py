"""The modules of torch.nn: their arguments, the parameters that they make, and what these start from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from initcheck.discover.static.reader.values import Value
from initcheck.records.recording import InitCall, Plain

Made: TypeAlias = tuple[str, tuple[Value, ...], InitCall | None]
"""The name of a parameter, its shape (with unknown sizes as they are), and what it is drawn from (None: depends on an unknown size)."""

_CONV = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode device dtype"
_TRANSPOSED = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode device dtype"
_TABLE = "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse _weight _freeze device dtype"
_BAG = "num_embeddings embedding_dim max_norm norm_type scale_grad_by_freq mode sparse _weight include_last_offset padding_idx device dtype"
_RNN = "input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size device dtype"
_NORM = "num_features eps momentum affine track_running_stats device dtype"
SIGNATURES: dict[str, str] = {
    "Linear": "in_features out_features bias device dtype",
    "Bilinear": "in1_features in2_features out_features bias device dtype",
    **{f"Conv{axes}d": _CONV for axes in (1, 2, 3)},
    **{f"ConvTranspose{axes}d": _TRANSPOSED for axes in (1, 2, 3)},
    "Embedding": _TABLE,
    "EmbeddingBag": _BAG,
    **{f"BatchNorm{axes}d": _NORM for axes in (1, 2, 3)},
    **{f"InstanceNorm{axes}d": _NORM for axes in (1, 2, 3)},
    "SyncBatchNorm": "num_features eps momentum affine track_running_stats process_group device dtype",
    "LayerNorm": "normalized_shape eps elementwise_affine bias device dtype",
    "GroupNorm": "num_groups num_channels eps affine device dtype",
    "RMSNorm": "normalized_shape eps elementwise_affine device dtype",
    "LSTM": _RNN,
    "GRU": _RNN,
    "RNN": "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional device dtype",
    "LSTMCell": "input_size hidden_size bias device dtype",
    "GRUCell": "input_size hidden_size bias device dtype",
    "RNNCell": "input_size hidden_size bias nonlinearity device dtype",
    "PReLU": "num_parameters init device dtype",
    "LeakyReLU": "negative_slope inplace",
    "ELU": "alpha inplace",
    "CELU": "alpha inplace",
    "Softplus": "beta threshold",
    "Hardtanh": "min_val max_val inplace min_value max_value",
    "GELU": "approximate",
    "Threshold": "threshold value inplace",
    "MultiheadAttention": "embed_dim num_heads dropout bias add_bias_kv add_zero_attn kdim vdim batch_first device dtype",
    "TransformerEncoderLayer": "d_model nhead dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias device dtype",
    "TransformerDecoderLayer": "d_model nhead dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias device dtype",
    "TransformerEncoder": "encoder_layer num_layers norm enable_nested_tensor mask_check",
    "TransformerDecoder": "decoder_layer num_layers norm",
}
"""The names of the constructors' parameters in order, without `self`."""

NORMS = {
    **{f"BatchNorm{axes}d": "batch_norm" for axes in (1, 2, 3)},
    **{f"InstanceNorm{axes}d": "instance_norm" for axes in (1, 2, 3)},
    "SyncBatchNorm": "batch_norm",
    "LayerNorm": "layer_norm",
    "GroupNorm": "group_norm",
    "RMSNorm": "rms_norm",
}
CURVES: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    # role, the arguments that are its hyper-parameters, and their defaults
    "ReLU": ("relu", (), ()),
    "ReLU6": ("relu6", (), ()),
    "LeakyReLU": ("leaky_relu", ("negative_slope",), (0.01,)),
    "ELU": ("elu", ("alpha",), (1.0,)),
    "CELU": ("celu", ("alpha",), (1.0,)),
    "SELU": ("selu", (), ()),
    "GELU": ("gelu", (), ()),
    "SiLU": ("silu", (), ()),
    "Mish": ("mish", (), ()),
    "Softplus": ("softplus", ("beta", "threshold"), (1.0, 20.0)),
    "Softsign": ("softsign", (), ()),
    "Tanh": ("tanh", (), ()),
    "Sigmoid": ("sigmoid", (), ()),
    "Hardswish": ("hardswish", (), ()),
    "Hardsigmoid": ("hardsigmoid", (), ()),
    "LogSigmoid": ("log_sigmoid", (), ()),
    "Softmax": ("softmax", (), ()),
    "LogSoftmax": ("log_softmax", (), ()),
    "Softmax2d": ("softmax", (), ()),
}
PASSING = frozenset(
    "Identity Flatten Unflatten Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout Upsample UpsamplingNearest2d "
    "UpsamplingBilinear2d MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d "
    "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d ZeroPad1d ZeroPad2d ZeroPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d "
    "ReplicationPad1d ReplicationPad2d ReplicationPad3d ConstantPad1d ConstantPad2d ConstantPad3d PixelShuffle PixelUnshuffle ChannelShuffle "
    "Fold Unfold LPPool1d LPPool2d FractionalMaxPool2d".split()
)
"""Modules without parameters that only move, pick or average what they are given."""
CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"})
WITHOUT_PARAMETERS = frozenset(CURVES) | PASSING | frozenset({"Hardtanh", "GLU", "Threshold", "Hardshrink", "Softshrink", "Tanhshrink"})
BASES = {
    "_BatchNorm": (*(f"BatchNorm{axes}d" for axes in (1, 2, 3)), "SyncBatchNorm"),
    "_ConvNd": tuple(f"Conv{axes}d" for axes in (1, 2, 3)) + tuple(f"ConvTranspose{axes}d" for axes in (1, 2, 3)),
    "_ConvTransposeNd": tuple(f"ConvTranspose{axes}d" for axes in (1, 2, 3)),
    "_InstanceNorm": tuple(f"InstanceNorm{axes}d" for axes in (1, 2, 3)),
    "_NormBase": (*(f"{kind}Norm{axes}d" for kind in ("Batch", "Instance") for axes in (1, 2, 3)), "SyncBatchNorm"),
    "RNNBase": ("RNN", "LSTM", "GRU"),
    "RNNCellBase": ("RNNCell", "LSTMCell", "GRUCell"),
}
"""The base classes of torch's modules that an `isinstance` may name."""
_RECURRENT = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True, slots=True)
class Sizes:
    """The arguments of a module of torch by name, with its defaults."""

    arguments: Mapping[str, Value]

    def get(self, name: str, default: Value = None) -> Value:
        """One argument."""
        return self.arguments.get(name, default)


def bound(name: str, positional: Sequence[Value], keywords: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments of a constructor by name."""
    names = SIGNATURES.get(name, "").split()
    return {**dict(zip(names, positional, strict=False)), **keywords}


def parameters(name: str, arguments: Mapping[str, Value]) -> Iterator[Made]:
    """The parameters that a module of torch makes for itself, children's left out."""
    sizes = Sizes(arguments)
    if name == "Linear":
        yield from _affine((sizes.get("out_features"), sizes.get("in_features")), sizes, sizes.get("in_features"))
    elif name == "Bilinear":
        shape = (sizes.get("out_features"), sizes.get("in1_features"), sizes.get("in2_features"))
        yield from _bounded(shape, sizes, sizes.get("in1_features"))
    elif name.startswith("Conv"):
        yield from _convolution(name, sizes)
    elif name in ("Embedding", "EmbeddingBag"):
        yield "weight", (sizes.get("num_embeddings"), sizes.get("embedding_dim")), InitCall("normal_", (("mean", 0.0), ("std", 1.0)))
    elif name in NORMS:
        yield from _normalization(name, sizes)
    elif name.removesuffix("Cell") in _RECURRENT:
        yield from _recurrent(name, sizes)
    elif name == "PReLU":
        start = sizes.get("init", 0.25)
        yield "weight", (sizes.get("num_parameters", 1),), InitCall("fill_", (("value", start),)) if _number(start) else None
    elif name == "MultiheadAttention":
        width = sizes.get("embed_dim")
        rows = 3 * width if isinstance(width, int) else None
        yield "in_proj_weight", (rows, width), InitCall("xavier_uniform_", (("gain", 1.0),))
        if sizes.get("bias", True) is True:
            yield "in_proj_bias", (rows,), InitCall("constant_", (("val", 0.0),))


def _affine(shape: tuple[Value, ...], sizes: Sizes, fan_in: Value) -> Iterator[Made]:
    default: tuple[tuple[str, Plain], ...] = (("a", math.sqrt(5.0)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu"))
    yield "weight", shape, InitCall("kaiming_uniform_", default)
    yield from _bias((shape[0],), sizes, fan_in)


def _bounded(shape: tuple[Value, ...], sizes: Sizes, fan_in: Value) -> Iterator[Made]:
    yield "weight", shape, _uniform(fan_in)
    yield from _bias((shape[0],), sizes, fan_in)


def _bias(shape: tuple[Value, ...], sizes: Sizes, fan_in: Value) -> Iterator[Made]:
    if sizes.get("bias", True) is True:
        yield "bias", shape, _uniform(fan_in)


def _uniform(fan_in: Value) -> InitCall | None:
    if not isinstance(fan_in, int) or fan_in <= 0:
        return None
    edge = 1.0 / math.sqrt(fan_in)
    return InitCall("uniform_", (("a", -edge), ("b", edge)))


def kernel(name: str, size: Value) -> tuple[Value, ...]:
    """The sizes of a kernel, one for each axis of the convolution that is called `name`."""
    axes = int(name[-2])
    return tuple(size) if isinstance(size, (tuple, list)) and len(size) == axes else (size if isinstance(size, int) else None,) * axes


def _convolution(name: str, sizes: Sizes) -> Iterator[Made]:
    groups, ends = sizes.get("groups", 1), (sizes.get("in_channels"), sizes.get("out_channels"))
    first, second = (ends[0], ends[1]) if name.startswith("ConvTranspose") else (ends[1], ends[0])
    inner = second // groups if isinstance(second, int) and isinstance(groups, int) and groups > 0 else None
    shape = (first, inner, *kernel(name, sizes.get("kernel_size")))
    # torch takes the second axis for the inputs, also of a transposed convolution
    whole = all(isinstance(size, int) for size in shape[1:])
    fan_in = math.prod(shape[1:]) if whole else None
    default: tuple[tuple[str, Plain], ...] = (("a", math.sqrt(5.0)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu"))
    yield "weight", shape, InitCall("kaiming_uniform_", default)
    yield from _bias((ends[1],), sizes, fan_in)


def _normalization(name: str, sizes: Sizes) -> Iterator[Made]:
    if name in ("LayerNorm", "RMSNorm"):
        given = sizes.get("normalized_shape")
        shape = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        on = sizes.get("elementwise_affine", True)
        bias = name == "LayerNorm" and sizes.get("bias", True) is True
    else:
        shape = (sizes.get("num_channels" if name == "GroupNorm" else "num_features"),)
        on, bias = sizes.get("affine", not name.startswith("Instance")), True
    if on is True:
        yield "weight", shape, InitCall("ones_")
        if bias:
            yield "bias", shape, InitCall("zeros_")


def _recurrent(name: str, sizes: Sizes) -> Iterator[Made]:
    gates, inputs, width = _RECURRENT[name.removesuffix("Cell")], sizes.get("input_size"), sizes.get("hidden_size")
    draw = _uniform(width)
    rows = gates * width if isinstance(width, int) else None
    if name.endswith("Cell"):
        ends = [("", inputs)]
    else:
        layers, both = sizes.get("num_layers", 1), sizes.get("bidirectional", False)
        if not isinstance(layers, int) or not isinstance(both, bool) or sizes.get("proj_size", 0) != 0:
            return
        deep = (1 + both) * width if isinstance(width, int) else None
        ends = [
            (f"_l{layer}{end}", inputs if layer == 0 else deep) for layer in range(layers) for end in (("", "_reverse") if both else ("",))
        ]
    for end, size in ends:
        yield f"weight_ih{end}", (rows, size), draw
        yield f"weight_hh{end}", (rows, width), draw
        if sizes.get("bias", True) is True:
            yield f"bias_ih{end}", (rows,), draw
            yield f"bias_hh{end}", (rows,), draw


def complete(name: str, arguments: Mapping[str, Value]) -> bool:
    """Whether the arguments that decide which parameters there are, are known."""
    deciding: Callable[[Value], bool] = lambda value: isinstance(value, (bool, int, type(None)))  # noqa: E731
    asked = ("bias", "affine", "elementwise_affine", "num_layers", "bidirectional", "proj_size")
    return name in WITHOUT_PARAMETERS or (name in SIGNATURES and all(deciding(arguments.get(key)) for key in asked))


def _number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
