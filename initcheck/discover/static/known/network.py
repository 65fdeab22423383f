"""The forward pass: which operation of the network reads the result of which."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from initcheck.discover.static.known.layers import CURVES, NORMS, PASSING, kernel
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import Opaque, Signal, Tensor, Thing, Value, View, signals

_ROLES = {
    **{
        name: name
        for name in (
            "relu",
            "selu",
            "gelu",
            "silu",
            "mish",
            "softsign",
            "tanh",
            "sigmoid",
            "hardswish",
            "hardsigmoid",
            "relu6",
            "softmax",
            "log_softmax",
            "sin",
        )
    },
    "logsigmoid": "log_sigmoid",
    "swish": "silu",
    "relu_": "relu",
    "tanh_": "tanh",
    "sigmoid_": "sigmoid",
    "special_expit": "sigmoid",
}
_SHAPED: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "leaky_relu": ("leaky_relu", ("negative_slope",), (0.01,)),
    "leaky_relu_": ("leaky_relu", ("negative_slope",), (0.01,)),
    "elu": ("elu", ("alpha",), (1.0,)),
    "celu": ("celu", ("alpha",), (1.0,)),
    "softplus": ("softplus", ("beta", "threshold"), (1.0, 20.0)),
}
_CURVED = frozenset(
    "pow square exp expm1 log log1p sqrt rsqrt reciprocal abs cos erf atan sinh cosh sign clamp clamp_ clip hardtanh maximum minimum glu".split()
)
_PASSING = frozenset(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d interpolate upsample "
    "pad flatten reshape view permute transpose t squeeze unsqueeze contiguous mean sum expand repeat chunk split unbind to float double half "
    "type cuda cpu detach clone gather index_select roll flip narrow select unflatten max min amax amin topk pixel_shuffle view_as expand_as "
    "reshape_as type_as movedim swapaxes repeat_interleave tile requires_grad_ unfold fold tril triu neg squeeze_ unsqueeze_ cumsum "
    "channel_shuffle pixel_unshuffle sort bfloat16 masked_fill masked_fill_ rearrange".split()
)
_JOINS = frozenset("cat concat concatenate stack hstack vstack".split())
_WEIGHTED = {
    "linear": "linear",
    **{f"conv{axes}d": "conv" for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": "conv_transpose" for axes in (1, 2, 3)},
}
_SHAPES = frozenset("size dim numel item shape stride element_size data_ptr is_contiguous".split())
_FAMILIES = ("torch.", "einops.")
_TENSORS = (Tensor, View)
UNNAMED = "custom"


def binary(machine: Machine, left: Value, name: str, right: Value) -> Value:
    """`left OP right`, one of which comes from the input."""
    return _combined(
        machine, {"Add": "sum", "Sub": "sum", "Mult": "product", "Div": "product", "MatMult": "matmul"}.get(name, "unknown"), left, right
    )


def _combined(machine: Machine, role: str, left: Value, right: Value) -> Value:
    found = signals(left, right)
    signal, other = (left, right) if isinstance(left, Signal) else (right, left)
    if role == "matmul":
        return _product(machine, left, right)
    if isinstance(other, (int, float)) or (isinstance(other, Opaque) and other.number):
        return signal if role in ("sum", "product") else machine.op("unknown", found)
    if isinstance(other, _TENSORS) and role in ("sum", "product"):
        return machine.op("bias" if role == "sum" else "scale", found, weights=(_base(other),), kind="bias" if role == "sum" else "scale")
    if isinstance(other, Signal):
        return machine.op(role, found)
    return machine.op("unknown", found)


def _base(value: Value) -> Tensor:
    found = value.base if isinstance(value, View) else value
    assert isinstance(found, Tensor)
    return found


def _product(machine: Machine, left: Value, right: Value) -> Value:
    """A matrix product of data with a parameter, or of data with data."""
    found = signals(left, right)
    weight = next((one for one in (left, right) if isinstance(one, _TENSORS)), None)
    if weight is None or (isinstance(weight, View) and not weight.whole):
        return machine.op("unknown", found)
    turned = (isinstance(weight, View) and weight.turned) is (weight is right)
    # x @ W keeps W as (inputs, outputs); x @ W.T and W @ x as (outputs, inputs)
    return machine.op("weight", found, weights=(_base(weight),), kind="linear" if turned else "matmul", turned=not turned)


def function(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A function of torch on data; NotImplemented where it is none that is known."""
    del node
    short = name.rpartition(".")[2]
    given = [*positional, *keywords.values()]
    found = signals(*given)
    if not found or not name.startswith(_FAMILIES):
        return NotImplemented
    return _operation(machine, short, positional, keywords, found)


def method(machine: Machine, owner: Signal, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A method of data."""
    del node
    if name in _SHAPES:
        return Opaque("the shape of what flows through is known at run time only", number=True)
    return _operation(machine, name, [owner, *positional], keywords, signals(owner, *positional, *keywords.values()))


def _operation(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], found: tuple[int, ...]) -> Value:
    if name in _ROLES and len(found) == 1:
        approximate = name == "gelu" and keywords.get("approximate", "none") == "tanh"
        return machine.op("gelu_tanh" if approximate else _ROLES[name], found)
    if name in _SHAPED and len(found) == 1:
        return _curve(machine, _SHAPED[name], dict(zip(_SHAPED[name][1], positional[1:], strict=False)) | dict(keywords), found)
    if name in _CURVED and len(found) == 1:
        return machine.op(f"{UNNAMED}:{name.rstrip('_')}", found)
    if name in _PASSING:
        return Signal(found[0]) if len(found) == 1 else machine.op("unknown", found)
    if name in _JOINS:
        return machine.op("join", found)
    if name in ("add", "add_", "sub", "mul", "mul_", "multiply", "div") and len(positional) == 2:
        return _combined(machine, "sum" if name[:3] in ("add", "sub") else "product", positional[0], positional[1])
    if name in ("matmul", "mm", "bmm") and len(positional) == 2:
        return _product(machine, positional[0], positional[1])
    if name == "einsum" and len(positional) > 1 and isinstance(positional[0], str):
        return _einsum(machine, positional[0], positional[1:], found)
    if name in _WEIGHTED:
        return _weighted(machine, name, positional, keywords, found)
    if name == "embedding" and len(positional) > 1 and isinstance(positional[1], _TENSORS):
        return machine.op("weight", found, weights=(_base(positional[1]),), kind="embedding")
    if name == "scaled_dot_product_attention":
        return machine.op("attention", found)
    return machine.op("unknown", found)


def _weighted(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], found: tuple[int, ...]) -> Value:
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    given = {**dict(zip(names, positional, strict=False)), **keywords}
    weight, bias = given.get("weight"), given.get("bias")
    if not isinstance(weight, Tensor) or (bias is not None and not isinstance(bias, Tensor)):
        return machine.op("unknown", found)
    weights = (weight,) if bias is None else (weight, bias)
    groups, stride = given.get("groups", 1), given.get("stride", 1)
    sizes = tuple(stride) if isinstance(stride, (tuple, list)) else (stride,)
    known = isinstance(groups, int) and all(isinstance(size, int) for size in sizes) and not name.startswith("conv_transpose")
    kind = _WEIGHTED[name]
    if kind != "linear" and not known:
        return machine.op("unknown", found)
    return machine.op("weight", found, weights=weights, kind=kind, groups=groups, stride=sizes if kind != "linear" else (1,))


def _einsum(machine: Machine, equation: str, operands: Sequence[Value], found: tuple[int, ...]) -> Value:
    weights = [index for index, one in enumerate(operands) if isinstance(one, Tensor)]
    if len(weights) != 1 or len(operands) != 2:
        return machine.op("unknown", found)
    return machine.op("weight", found, weights=(operands[weights[0]],), kind="matmul", equation=f"{weights[0]}|{equation}")


def _curve(
    machine: Machine, shape: tuple[str, tuple[str, ...], tuple[float, ...]], given: Mapping[str, Value], found: tuple[int, ...]
) -> Value:
    role, names, defaults = shape
    values = [given.get(name, default) for name, default in zip(names, defaults, strict=True)]
    if not all(isinstance(one, (int, float)) for one in values):
        return machine.op("unknown", found)
    return machine.op(role, found, parameter=tuple(float(one) for one in values))


def module(machine: Machine, thing: Thing, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    """A module of torch that is called with data."""
    short = thing.dotted.rpartition(".")[2]
    found = signals(*positional, *keywords.values())
    tensors = tuple(value for value in thing.attributes.values() if isinstance(value, Tensor) and value.kind == "parameter")
    if not found and not tensors:
        return machine.open(f"what `{short}` is given is not known")
    if thing.doubt:
        return machine.op("unknown", found, weights=tensors, module=thing)
    if short in CURVES and len(found) == 1:
        gelu = short == "GELU" and thing.arguments.get("approximate", "none") == "tanh"
        return machine.op("gelu_tanh", found) if gelu else _curve(machine, CURVES[short], thing.arguments, found)
    if short == "PReLU":
        return machine.op("prelu", found, weights=tensors, kind="other", module=thing)
    if short in PASSING:
        return Signal(found[0]) if len(found) == 1 else machine.op("unknown", found)
    if short in NORMS:
        return machine.op(NORMS[short], found, weights=tensors, kind="norm", module=thing)
    if short in ("Linear", "Bilinear"):
        return machine.op("weight", found, weights=tensors, kind=short.lower(), module=thing)
    if short.startswith("Conv"):
        return _convolution(machine, thing, short, found, tensors)
    if short in ("Embedding", "EmbeddingBag"):
        return machine.op("weight", found, weights=tensors, kind="embedding", module=thing)
    if short.startswith(("LSTM", "GRU", "RNN")):
        return machine.op("recurrent", found, weights=tensors, kind="recurrent", module=thing)
    below = tuple(dict.fromkeys(tensor for _, inner in thing.tree() for _, tensor in inner.tensors()))
    return machine.op("unknown", found, weights=below, module=thing)


def _convolution(machine: Machine, thing: Thing, short: str, found: tuple[int, ...], tensors: tuple[Tensor, ...]) -> Value:
    groups, stride = thing.arguments.get("groups", 1), kernel(short, thing.arguments.get("stride", 1))
    if not isinstance(groups, int) or None in stride:
        return machine.op("unknown", found, weights=tensors, module=thing)
    kind = "conv_transpose" if short.startswith("ConvTranspose") else "conv"
    return machine.op("weight", found, weights=tensors, kind=kind, module=thing, groups=groups, stride=stride)
