"""Tensors: how they are made, and the calls that write into them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import Deed, Opaque, Signal, Tensor, Value, View, certain, signals
from initcheck.records.recording import InitCall, Plain
from initcheck.theory.gains import calculate_gain

_KAIMING: tuple[tuple[str, Plain], ...] = (("a", 0), ("mode", "fan_in"), ("nonlinearity", "leaky_relu"))
INITIALIZERS: dict[str, tuple[tuple[str, Plain], ...]] = {
    "uniform_": (("a", 0.0), ("b", 1.0)),
    "normal_": (("mean", 0.0), ("std", 1.0)),
    "trunc_normal_": (("mean", 0.0), ("std", 1.0), ("a", -2.0), ("b", 2.0)),
    "trunc_normal_tf_": (("mean", 0.0), ("std", 1.0), ("a", -2.0), ("b", 2.0)),
    "constant_": (("val", None),),
    "ones_": (),
    "zeros_": (),
    "eye_": (),
    "dirac_": (("groups", 1),),
    "xavier_uniform_": (("gain", 1.0),),
    "xavier_normal_": (("gain", 1.0),),
    "kaiming_uniform_": _KAIMING,
    "kaiming_normal_": _KAIMING,
    "orthogonal_": (("gain", 1.0),),
    "sparse_": (("sparsity", None), ("std", 0.01)),
}
"""The functions of torch.nn.init with their arguments after the tensor, and their defaults."""
_METHODS: dict[str, tuple[tuple[str, Plain], ...]] = {
    "normal_": (("mean", 0.0), ("std", 1.0)),
    "uniform_": (("from", 0.0), ("to", 1.0)),
    "fill_": (("value", None),),
    "zero_": (),
}
_SCALING = {"mul_": "mul", "div_": "div", "add_": "add", "sub_": "sub", "clamp_": "clamp", "neg_": "neg", "erfinv_": "erfinv"}
_WORDS = {"Mult": "mul", "Div": "div", "Add": "add", "Sub": "sub"}
_MAKERS = ("randn", "rand", "zeros", "ones", "empty", "full", "eye", "Tensor", "FloatTensor", "normal")
_LIKE = ("randn_like", "rand_like", "zeros_like", "ones_like", "empty_like", "full_like")
_INITS = ("torch.nn.init.", "timm.layers.", "timm.models.layers.", "timm.layers.weight_init.")
_SAME = frozenset("to float double half bfloat16 contiguous cpu cuda type detach detach_ share_memory_ pin_memory".split())
_SHAPES = frozenset("view reshape flatten unsqueeze squeeze permute expand view_as expand_as movedim".split())
_PARTS = frozenset("chunk split narrow select diagonal unbind index_select".split())
_QUIET = frozenset(
    "size dim numel nelement element_size item tolist is_contiguous storage data_ptr register_hook norm mean std var min max sum abs".split()
)
_OTHER_WRITES = frozenset(
    "copy_ bernoulli_ exponential_ log_normal_ random_ geometric_ cauchy_ trunc_normal_ fill_diagonal_ "
    "masked_fill_ index_fill_ scatter_ pow_ sqrt_ exp_ log_ abs_ triu_ tril_".split()
)


def function(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A function that initializes, makes or wraps a tensor; NotImplemented for any other."""
    short = name.rpartition(".")[2]
    if name == "torch.nn.init.calculate_gain":
        return _gain(machine, positional, keywords)
    if name.startswith(_INITS) or ".initialization." in f".{name}":
        word = short if short in INITIALIZERS else f"{short}_"
        if word in INITIALIZERS and (positional or "tensor" in keywords):
            return _initialize(machine, word, INITIALIZERS[word], positional, keywords, node)
        return NotImplemented
    if name in ("torch.nn.Parameter", "torch.nn.parameter.Parameter"):
        return _parameter(machine, positional, keywords, node)
    if name.startswith("torch.") and name.count(".") == 1 and (short in _MAKERS or short in _LIKE) and not signals(*positional):
        return _made(machine, short, positional, keywords, node)
    if name.startswith("torch.") and any(isinstance(one, (Tensor, View)) for one in positional) and not signals(*positional):
        sign = {"torch.mul": "Mult", "torch.div": "Div", "torch.add": "Add", "torch.sub": "Sub"}.get(name)
        if sign is not None and len(positional) == 2:
            return arithmetic(machine, positional[0], sign, positional[1], node)
        return _computed(machine, positional, node) if name.count(".") == 1 else NotImplemented
    return NotImplemented


def method(
    machine: Machine, owner: Tensor | View, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST
) -> Value:
    """A method of a tensor; NotImplemented for one that is not known."""
    if signals(*positional, *keywords.values()):
        return NotImplemented
    if name in _METHODS:
        return _initialize(machine, name, _METHODS[name], [owner, *positional], keywords, node)
    if name in _SCALING:
        arithmetic_in_place(machine, owner, _SCALING[name], positional[0] if positional else 0.0, node, keywords)
        return owner
    if name == "copy_":
        data_assigned(machine, owner, positional[0] if positional else None, node)
        return owner
    if name in _OTHER_WRITES or (
        name.endswith("_") and not name.endswith("__") and name not in ("requires_grad_", "detach_", "share_memory_", "pin_memory_")
    ):
        machine.write(owner, None, node, reason=f"`{name}`")
        return owner
    return _read(machine, owner, name, positional, keywords, node)


def _read(
    machine: Machine, owner: Tensor | View, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST
) -> Value:
    """A method that gives a view, a copy, a size or a result."""
    base = owner.base if isinstance(owner, View) else owner
    view = owner if isinstance(owner, View) else View(base)
    if name == "requires_grad_":
        base.trainable = (positional[0] if positional else keywords.get("requires_grad", True)) is True
        return owner
    if name in _SAME:  # a copy only where the tensor is elsewhere or of another type, which no initial model on the CPU is
        return owner
    if name in ("t", "transpose", "swapaxes"):
        return View(base, view.whole, turned=not view.turned, computed=view.computed)
    if name in _SHAPES or name in _PARTS:
        part = View(base, name in _SHAPES and view.whole, computed=view.computed)
        return [part, Opaque("the other parts", rest=True)] if name in ("chunk", "split", "unbind") else part
    if name == "clone":
        return copied(base) if not isinstance(owner, View) else _computed(machine, [owner], node)
    if name == "size" and base.shape is not None and not isinstance(owner, View):
        known = not positional or (isinstance(positional[0], int) and -len(base.shape) <= positional[0] < len(base.shape))
        return (base.shape if not positional else base.shape[positional[0]]) if known else machine.open("a size that is not known")
    word = {"mul": "Mult", "div": "Div", "add": "Add", "sub": "Sub"}.get(name)
    if word is not None and positional:
        return arithmetic(machine, owner, word, positional[0], node)
    if name in _QUIET:
        return Opaque(f"`{name}` of a tensor", number=name in ("numel", "size", "item", "dim", "nelement"))
    return _computed(machine, [owner, *positional], node)


def copied(tensor: Tensor) -> Tensor:
    """A tensor with memory of its own that holds the same values."""
    deeds = [Deed(one.call, one.location, one.origin, one.lineage, one.partial, one.reason, one.draw) for one in tensor.deeds]
    return Tensor(tensor.shape, tensor.created, deeds, doubt=tensor.doubt, allocated=tensor.allocated)


def arithmetic(machine: Machine, left: Value, name: str, right: Value, node: ast.AST) -> Value:
    """`left OP right` of a tensor and a number: the same draw, scaled; of other things a tensor that is not known."""
    tensor, other = (left, right) if isinstance(left, Tensor) else (right, left)
    ruling = tensor.deeds[-1] if isinstance(tensor, Tensor) and tensor.deeds else None
    word = _WORDS.get(name)
    swapped = tensor is right and name in ("Sub", "Div")
    if (
        not isinstance(tensor, Tensor)
        or ruling is None
        or ruling.call is None
        or word is None
        or not isinstance(other, (int, float))
        or swapped
    ):
        return _computed(machine, [left, right], node)
    found = copied(tensor)
    last = found.deeds[-1]
    last.lineage = (*(last.lineage or (ruling.call,)), InitCall(word, (("other", other),)))
    return found


def arithmetic_in_place(
    machine: Machine, target: Value, name: str, other: Value, node: ast.AST, keywords: Mapping[str, Value] | None = None
) -> None:
    """`tensor.mul_(2)`, `tensor *= 2`."""
    word = _WORDS.get(name, name)
    given: dict[str, Value] = dict(keywords or {}) if word == "clamp" else {"other": other}
    known = certain(*given.values()) and word in _SCALING.values() and not isinstance(target, View)
    call = InitCall(word, tuple(given.items())) if known else None
    machine.write(target, call, node, partial=True, reason="" if known else "changed in place", draw=0)


def data_assigned(machine: Machine, target: Value, value: Value, node: ast.AST) -> None:
    """`tensor.data = value`, `tensor.copy_(value)`."""
    ruling = value.deeds[-1] if isinstance(value, Tensor) and value.deeds else None
    base = target.base if isinstance(target, View) else target
    if (
        ruling is None
        or ruling.call is None
        or not isinstance(value, Tensor)
        or not isinstance(target, Tensor)
        or len(value.deeds) > 1
        or value.doubt
    ):
        machine.write(target, None, node, reason="the values come from elsewhere", origin="unknown")
        return
    if base.shape is None or value.shape != base.shape:
        machine.write(target, None, node, reason="values of another shape", origin="unknown")
        return
    machine.write(target, ruling.call, node, lineage=ruling.lineage or (ruling.call,), location=ruling.location, draw=ruling.draw)


def part_assigned(machine: Machine, target: Value, value: Value, node: ast.AST, rows: tuple[int, int] | None = None) -> None:
    """`tensor[...] = value`."""
    base = target.base if isinstance(target, View) else target
    call = InitCall("fill_", (("value", value),)) if isinstance(value, (int, float)) else None
    machine.write(View(base, whole=False, rows=rows), call, node, reason="" if call is not None else "a part is filled")


def _initialize(
    machine: Machine, name: str, names: Sequence[tuple[str, Plain]], given: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST
) -> Value:
    target = given[0] if given else keywords.get("tensor")
    arguments: dict[str, Value] = dict(names)
    arguments.update(zip([key for key, _ in names], given[1:], strict=False))
    arguments.update({key: value for key, value in keywords.items() if key in arguments or key == "**"})
    if name == "uniform_" and "from" in arguments:
        arguments.update({{"a": "from", "b": "to"}.get(key, key): value for key, value in keywords.items() if key in ("a", "b")})
    known = all(isinstance(value, (int, float, str)) for value in arguments.values())
    call = InitCall(name, tuple(arguments.items())) if known else None
    machine.write(target, call, node, reason="" if known else f"an argument of `{name}` is not known")
    return target


def _gain(machine: Machine, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    values = [*positional, *keywords.values()]
    if not values or not isinstance(values[0], str) or (len(values) > 1 and not isinstance(values[1], (int, float, type(None)))):
        return Opaque("an argument of calculate_gain is not known", number=True)
    found = calculate_gain(values[0], values[1] if len(values) > 1 else None)
    return found if found is not None else machine.open(f"torch has no gain for {values[0]}")


def _parameter(machine: Machine, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    value = positional[0] if positional else keywords.get("data")
    unknown = "what it is made of is not known"
    tensor = value if isinstance(value, Tensor) else Tensor(None, machine.place(node), doubt=unknown)
    trains = positional[1] if len(positional) > 1 else keywords.get("requires_grad", True)
    tensor.kind, tensor.trainable = "parameter", trains is True
    tensor.doubt = tensor.doubt or ("" if isinstance(trains, bool) else "whether it is trained is not known")
    return tensor


def _made(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    dtype = keywords.get("dtype")
    if any(isinstance(one, (list, tuple)) and name in ("Tensor", "FloatTensor") for one in positional) or (
        dtype is not None and "float" not in str(dtype)
    ):
        return _computed(machine, [], node)
    if name in _LIKE:
        other = positional[0] if positional else None
        shape, rest, name = (other.shape if isinstance(other, Tensor) else None), list(positional[1:]), name.removesuffix("_like")
    elif name == "normal":
        if len(positional) < 3 and "size" not in keywords:
            return _computed(machine, [], node)
        shape, rest = _shape(positional[2] if len(positional) > 2 else keywords["size"]), list(positional[:2])
    elif name == "full":
        shape, rest = _shape(positional[0] if positional else keywords.get("size")), list(positional[1:])
    else:
        sizes = positional or [keywords.get("size", ())]
        shape, rest = _shape(sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (list, tuple, Opaque)) else list(sizes)), []
        shape = (shape[0], shape[0]) if name == "eye" and shape is not None and len(shape) == 1 else shape
    allocated = name in ("empty", "Tensor", "FloatTensor")
    tensor = Tensor(shape, machine.place(node), allocated=allocated, trainable=keywords.get("requires_grad", False) is True)
    if not allocated:
        call = _call_of(name, rest, keywords)
        machine.write(
            tensor,
            call,
            node,
            lineage=(call,) if call is not None else (),
            reason="" if call is not None else f"an argument of `{name}` is not known",
        )
    return tensor


def _call_of(name: str, rest: Sequence[Value], keywords: Mapping[str, Value]) -> InitCall | None:
    if name == "full":
        value = rest[0] if rest else keywords.get("fill_value")
        return InitCall("full", (("fill_value", value),)) if isinstance(value, (int, float)) else None
    if name == "normal":
        mean, std = (rest[0] if rest else keywords.get("mean", 0.0)), (rest[1] if len(rest) > 1 else keywords.get("std", 1.0))
        known = isinstance(mean, (int, float)) and isinstance(std, (int, float))
        return InitCall("normal", (("mean", mean), ("std", std))) if known else None
    return InitCall(name)


def _shape(value: Value) -> tuple[int, ...] | None:
    if isinstance(value, int):
        return (value,)
    if isinstance(value, (list, tuple)) and all(isinstance(size, int) and not isinstance(size, bool) for size in value):
        return tuple(value)
    return None


def _computed(machine: Machine, sources: Sequence[Value], node: ast.AST) -> Tensor:
    """A tensor whose values are computed somehow."""
    machine.unknowns += 1
    tensor = Tensor(None, machine.place(node))
    tensor.deeds.append(Deed(None, tensor.created, machine.origin, reason="computed", lineage=tuple(_calls(sources))))
    return tensor


def _calls(sources: Sequence[Value]) -> list[InitCall]:
    return [one.call for source in sources if isinstance(source, Tensor) for one in source.deeds if one.call is not None]


__all__ = ["INITIALIZERS", "Signal", "arithmetic", "arithmetic_in_place", "copied", "data_assigned", "function", "method", "part_assigned"]
