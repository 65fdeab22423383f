"""The one spelling of each operation: aten names without overloads, with variants of one thing folded together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Attribute = tuple[str, Any]

SAME = {
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "_prelu_kernel": "prelu",
    "rrelu_with_noise": "rrelu",
    "rrelu_with_noise_functional": "rrelu",
    "log_sigmoid_forward": "log_sigmoid",
    "_embedding_bag": "embedding_bag",
    "_embedding_bag_forward_only": "embedding_bag",
    "_convolution": "convolution",
    "convolution_overrideable": "convolution",
    "mkldnn_convolution": "convolution",
    "cudnn_convolution": "convolution",
    "cudnn_convolution_transpose": "convolution",
    "_fused_rms_norm": "rms_norm",
    "cudnn_batch_norm": "native_batch_norm",
    "miopen_batch_norm": "native_batch_norm",
    "_batch_norm_with_update": "native_batch_norm",
    "_native_batch_norm_legit": "native_batch_norm",
    "_native_batch_norm_legit_functional": "native_batch_norm",
    "_native_batch_norm_legit_no_training": "native_batch_norm",
}
ATTENTION = "scaled_dot_product"
WITH_SHAPES = frozenset(
    (
        "mm",
        "addmm",
        "bmm",
        "baddbmm",
        "addbmm",
        "_addmm_activation",
        "linear",
        "mv",
        "addmv",
        "dot",
        "convolution",
        "_trilinear",
        "embedding",
        "_grouped_mm",
        "native_batch_norm",
        "scaled_dot_product_attention",
    )
)
"""Operations whose operand shapes stand in the attributes `shape_0`, `shape_1`, ... (in the order of `Node.inputs`)."""

_SELU = (1.6732632423543772, 1.0507009873554805)


@dataclass(frozen=True, slots=True)
class Naming:
    """What the schema of one operator tells: `raw` and canonical name, argument names, and which of them it writes."""

    raw: str
    name: str
    arguments: tuple[str, ...]
    written: tuple[str, ...]
    in_place: bool
    fresh: bool


_known: dict[Any, Naming] = {}


def naming(func: Any) -> Naming:
    """The naming of an operator overload, remembered."""
    known = _known.get(func)
    if known is None:
        known = _known[func] = _read(func)
    return known


def _read(func: Any) -> Naming:
    schema = func._schema  # noqa: SLF001
    raw = schema.name.split("::")[-1]
    bare = raw[:-1] if raw.endswith("_") and not raw.endswith("__") else raw
    written = tuple(argument.name for argument in schema.arguments if argument.alias_info is not None and argument.alias_info.is_write)
    name = "scaled_dot_product_attention" if ATTENTION in bare else SAME.get(bare, bare)
    fresh = bare.endswith("_like") or bare.startswith("new_")
    return Naming(raw, name, tuple(argument.name for argument in schema.arguments), written, bool(written), fresh)


def attributes(names: Naming, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The plain arguments of a call by their schema names."""
    found: dict[str, Any] = {}
    for name, value in (*zip(names.arguments, args, strict=False), *kwargs.items()):
        if isinstance(value, (bool, int, float, str)):
            found[name] = value
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, int) for item in value):
            found[name] = tuple(int(item) for item in value)
    return found


def canonical(name: str, found: dict[str, Any]) -> str:
    """The operation that a call really is: `clamp(min=0)` is a relu, a scaled elu a selu."""
    if name in ("clamp", "clamp_min", "clamp_max"):
        low, high = found.get("min", -math.inf), found.get("max", math.inf)
        if low == 0 and high == math.inf:
            return "relu"
        if math.isfinite(low) and math.isfinite(high):
            found.update(min_val=low, max_val=high)
            return "hardtanh"
    if name == "threshold" and found.get("threshold") == 0 and found.get("value") == 0:
        return "relu"
    if name == "hardtanh":
        found.setdefault("min_val", -1.0)
        found.setdefault("max_val", 1.0)
    if name == "elu":
        alpha, scale = found.get("alpha", 1.0), found.get("scale", 1.0)
        if abs(alpha - _SELU[0]) < 1e-6 and abs(scale - _SELU[1]) < 1e-6:
            return "selu"
        if found.get("input_scale", 1.0) != 1.0:
            return "celu"
    return name


def is_float(tensor: Tensor) -> bool:
    """Whether a tensor holds real or complex numbers that can carry a gradient."""
    return bool(tensor.is_floating_point() or tensor.is_complex())
