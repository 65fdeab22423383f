"""Modules: how those of torch come into being, and the methods that walk over them or register something."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from initcheck.discover.static.known.copies import cloned
from initcheck.discover.static.known.layers import CONTAINERS, SIGNATURES, WITHOUT_PARAMETERS, bound, complete, parameters
from initcheck.discover.static.reader.machine import Application, Machine
from initcheck.discover.static.reader.values import Deed, Dotted, Opaque, Tensor, Thing, Value, View
from initcheck.records.recording import InitCall

_PLAIN_BASES = re.compile(
    r"^(builtins\.object|typing\.\w+|abc\.ABC|enum\.\w+|torch\.nn\.(modules\.module\.)?Module|torch\.jit\.ScriptModule"
    r"|(pytorch_lightning|lightning(\.pytorch)?|pl|L)\.(core\.)?LightningModule|huggingface_hub\.\w+)$"
)
_PART = re.compile(r"^torch\.nn\.(modules\.\w+\.)?([A-Z]\w*)$")
_NORMALIZERS = ("spectral_norm", "weight_norm", "orthogonal")
_SAME = frozenset("to cuda cpu float double half bfloat16 type eval train requires_grad_ to_empty share_memory".split())


def is_part(name: str) -> bool:
    """Whether this is a module class of torch itself."""
    match = _PART.match(name)
    return match is not None and match[2] not in ("Module", "Parameter")


def is_module_base(name: str) -> bool:
    """Whether a class that derives from this one is a module."""
    plain = name.startswith(("builtins.", "typing.", "abc.", "enum.", "huggingface_hub."))
    return not plain and (
        bool(_PLAIN_BASES.match(name)) or is_part(name) or name.endswith(("Module", "PreTrainedModel", "Layer", "Model", "Block"))
    )


def harmless_base(base: Value) -> bool:
    """Whether a base class adds no parameters by itself."""
    return isinstance(base, Dotted) and bool(_PLAIN_BASES.match(base.name) or is_part(base.name))


def function(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A module of torch, or a function that takes one; NotImplemented for anything else."""
    short = name.rpartition(".")[2]
    if is_part(name):
        thing = Thing(short, machine.place(node))
        fill(machine, thing, name, positional, keywords, node)
        return thing
    if name == "copy.deepcopy" and positional:
        return cloned(positional[0], {}, machine.place(node))
    if name.startswith("torch.nn.utils.") and short in _NORMALIZERS and positional and isinstance(positional[0], Thing):
        return _recomputed(machine, positional[0], keywords.get("name", positional[1] if len(positional) > 1 else "weight"))
    return NotImplemented


def fill(machine: Machine, thing: Thing, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> None:
    """Gives an object what a module of torch has."""
    short = name.rpartition(".")[2]
    thing.dotted, thing.arguments = f"torch.nn.{short}", bound(short, positional, keywords)
    if short in CONTAINERS:
        _contain(machine, thing, short, positional, keywords)
        return
    if short.startswith("Transformer"):
        _transformer(machine, thing, short, node)
        return
    if short not in SIGNATURES and short not in WITHOUT_PARAMETERS:
        thing.doubt = f"what `{name}` holds is not known"
        return
    if not complete(short, thing.arguments) or "**" in keywords or any(isinstance(one, Opaque) and one.rest for one in positional):
        thing.doubt = f"an argument of `{short}` is not known"
    for key, shape, call in parameters(short, thing.arguments):
        thing.attributes[key] = _default(machine, shape, call, node)
    if short == "MultiheadAttention":
        inner = Thing("NonDynamicallyQuantizableLinear", machine.place(node), "torch.nn.Linear")
        width = thing.arguments.get("embed_dim")
        inner.arguments = {"in_features": width, "out_features": width, "bias": thing.arguments.get("bias", True)}
        for key, shape, call in parameters("Linear", inner.arguments):
            inner.attributes[key] = _default(machine, shape, call if key == "weight" else InitCall("constant_", (("val", 0.0),)), node)
        thing.attributes["out_proj"] = inner
        if thing.arguments.get("kdim") is not None or thing.arguments.get("vdim") is not None or thing.arguments.get("add_bias_kv"):
            thing.doubt = "keys of another width"
    row = thing.arguments.get("padding_idx")
    if short.startswith("Embedding") and row is not None:
        table = thing.attributes["weight"]
        table.deeds.append(Deed(InitCall("fill_", (("value", 0.0),)), machine.place(node), "framework default", partial=True))
    if short.startswith("Embedding") and (thing.arguments.get("_weight") is not None):
        thing.attributes["weight"].doubt = "it is given from outside"


def _default(machine: Machine, shape: Sequence[Value], call: InitCall | None, node: ast.AST) -> Tensor:
    sizes = tuple(shape) if all(isinstance(size, int) and not isinstance(size, bool) for size in shape) else None
    place = machine.place(node)
    deed = Deed(
        call, place, "framework default", (call,) if call is not None else (), reason="its size is not known", draw=next(machine.draws)
    )
    return Tensor(sizes, place, [deed], "parameter", trainable=True)


def _contain(machine: Machine, thing: Thing, short: str, positional: Sequence[Value], keywords: Mapping[str, Value]) -> None:
    members: Value = list(positional)
    if short != "Sequential" and positional:
        members = positional[0]
    if short == "Sequential" and len(positional) == 1 and isinstance(positional[0], (dict, Opaque)):
        members = positional[0]
    if isinstance(members, Thing):
        members = members.attributes if members.dotted == "torch.nn.ModuleDict" else list(members.attributes.values())
    if isinstance(members, dict):
        thing.attributes |= {str(key): value for key, value in members.items()}
    elif isinstance(members, (list, tuple)):
        for member in members:
            _append(thing, member)
    elif members:
        thing.doubt = members.reason if isinstance(members, Opaque) else "its members are not known"
    if "modules" in keywords or machine.unsure:
        thing.doubt = thing.doubt or machine.unsure or "its members are not known"


def _append(thing: Thing, member: Value) -> None:
    if isinstance(member, Opaque):
        thing.doubt = thing.doubt or member.reason
        if not member.rest:
            thing.attributes[str(len(thing.attributes))] = member
        return
    thing.attributes[str(len(thing.attributes))] = member


def _transformer(machine: Machine, thing: Thing, short: str, node: ast.AST) -> None:
    given = thing.arguments
    layer, count = given.get("encoder_layer", given.get("decoder_layer")), given.get("num_layers")
    if short in ("TransformerEncoder", "TransformerDecoder") and isinstance(layer, Thing) and isinstance(count, int):
        stack = Thing("ModuleList", machine.place(node), "torch.nn.ModuleList")
        for index in range(min(count, 200)):
            stack.attributes[str(index)] = cloned(layer, {}, machine.place(node))
        thing.attributes["layers"] = stack
        if isinstance(given.get("norm"), Thing):
            thing.attributes["norm"] = given["norm"]
        return
    width, inner = given.get("d_model"), given.get("dim_feedforward", 2048)
    if not short.endswith("Layer"):
        thing.doubt = f"what `torch.nn.{short}` holds is not known"
        return
    names = ["self_attn", *(["multihead_attn"] if "Decoder" in short else [])]
    sizes = {"linear1": (width, inner), "linear2": (inner, width)}
    for name in names:
        thing.attributes[name] = function(machine, "torch.nn.MultiheadAttention", [width, given.get("nhead")], {}, node)
    for name, ends in sizes.items():
        thing.attributes[name] = function(machine, "torch.nn.Linear", list(ends), {}, node)
    for index in range(len(names) + 1):
        thing.attributes[f"norm{index + 1}"] = function(machine, "torch.nn.LayerNorm", [width], {}, node)


def _recomputed(machine: Machine, thing: Thing, name: Value) -> Thing:
    """A module under weight_norm and its like: the weight is computed from other parameters before each use."""
    tensor = thing.attributes.get(name) if isinstance(name, str) else None
    if isinstance(tensor, Tensor) and not machine.unsure:
        tensor.derived = True
        thing.recomputed |= {name}
    else:
        thing.doubt = thing.doubt or "a parametrization whose weight is not known"
    return thing


def method(machine: Machine, owner: Thing, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A method that modules have; NotImplemented for one that is not known."""
    if not owner.module:
        return NotImplemented
    if name in ("modules", "children", "named_modules", "named_children", "parameters", "named_parameters", "buffers", "named_buffers"):
        return _walk(machine, owner, name, positional, keywords)
    if name == "apply" and positional:
        return _apply(machine, owner, positional[0], node)
    if name in ("register_buffer", "register_parameter", "add_module", "register_module"):
        return _register(machine, owner, name, positional, keywords)
    if name in ("append", "extend", "insert") and owner.dotted in ("torch.nn.ModuleList", "torch.nn.Sequential", "torch.nn.ParameterList"):
        return _grow(machine, owner, name, positional)
    if name in ("items", "values", "keys") and owner.dotted == "torch.nn.ModuleDict":
        return Opaque(owner.doubt, rest=True) if owner.doubt else list(getattr(owner.attributes, name)())
    if name in ("reset_parameters", "_reset_parameters") and is_part(owner.dotted):
        return _reset(machine, owner, node)
    if name == "requires_grad_":
        for _, thing in owner.tree():
            for _, tensor in thing.tensors():
                tensor.trainable = not (positional and positional[0] is False) and tensor.kind == "parameter"
        return owner
    if name in _SAME:
        return owner
    if name in ("state_dict", "zero_grad", "extra_repr", "register_forward_hook", "get_submodule", "get_parameter", "__repr__", "float"):
        return machine.open(f"`.{name}()`")
    if name == "load_state_dict" and machine.unsure:
        return machine.open("`.load_state_dict()`")  # weights that may be loaded later are no initialization
    if name in ("save_hyperparameters", "register_load_state_dict_post_hook", "_register_load_state_dict_pre_hook"):
        return None
    return NotImplemented


def _walk(machine: Machine, owner: Thing, name: str, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    deep = (
        name not in ("children", "named_children")
        and (positional[0] if positional and "param" in name else keywords.get("recurse", True)) is True
    )
    tree = list(owner.tree()) if deep or "children" in name else [("", owner)]
    found: list[Value] = []
    doubts = [thing.doubt for _, thing in (tree if deep else [("", owner)]) if thing.doubt]
    doubts += [value.reason for _, thing in tree for value in thing.attributes.values() if isinstance(value, Opaque) and not value.number]
    if name in ("modules", "named_modules"):
        found = [thing if name == "modules" else (path, thing) for path, thing in tree]
    elif name in ("children", "named_children"):
        found = [child if name == "children" else (path, child) for path, child in owner.children()]
    else:
        kind = "buffer" if "buffers" in name else "parameter"
        named = {
            id(tensor): (f"{path}.{key}" if path else key, tensor)
            for path, thing in reversed(tree)
            for key, tensor in reversed(list(thing.tensors()))
            if tensor.kind == kind
        }
        found = [(key, tensor) if name.startswith("named") else tensor for key, tensor in reversed(named.values())]
    if doubts:
        machine.unknowns += 1
        found.append(Opaque(doubts[0], rest=True))
    return found


def _apply(machine: Machine, owner: Thing, function_: Value, node: ast.AST) -> Value:
    outer, unknowns, deeds = machine.sweep, machine.unknowns, machine.deeds
    machine.sweep = machine.sweep or next(machine.sweeps)
    machine.callers.setdefault(machine.sweep, machine.frame.qualname or "<module>")
    tree = [thing for _, thing in owner.tree()]
    for thing in reversed(tree):
        machine.call(machine, function_, [thing], {}, node)
    machine.sweep = outer
    sure = machine.unknowns == unknowns and not machine.unsure and not any(thing.doubt for thing in tree)
    inner = getattr(function_, "node", None)
    if machine.deeds == deeds and sure and inner is not None:
        machine.applied.append(Application(getattr(inner, "name", "<lambda>"), inner, owner, machine.place(node)))
    return owner


def _register(machine: Machine, owner: Thing, name: str, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    key = positional[0] if positional else keywords.get("name")
    value = (
        positional[1]
        if len(positional) > 1
        else keywords.get({"register_buffer": "tensor", "register_parameter": "param"}.get(name, "module"))
    )
    if not isinstance(key, str):
        owner.doubt = owner.doubt or "something is registered under a name that is not known"
        return None
    if isinstance(value, Tensor) and name == "register_buffer":
        value.kind = "buffer"
    owner.attributes[key] = Opaque(machine.unsure) if machine.unsure else value
    return None


def _grow(machine: Machine, owner: Thing, name: str, positional: Sequence[Value]) -> Value:
    if machine.unsure:
        owner.doubt = owner.doubt or machine.unsure
        return owner
    value = positional[-1] if positional else Opaque("nothing")
    if name == "insert":
        owner.doubt = owner.doubt or "its order is not known"
    more = (
        value
        if isinstance(value, (list, tuple))
        else list(value.attributes.values())
        if isinstance(value, Thing) and name == "extend"
        else [value]
    )
    for member in more:
        _append(owner, member if name != "extend" or not isinstance(value, Opaque) else Opaque(value.reason, rest=True))
    return owner


def _reset(machine: Machine, owner: Thing, node: ast.AST) -> Value:
    short = owner.dotted.rpartition(".")[2]
    for key, _, call in parameters(short, owner.arguments):
        tensor = owner.attributes.get(key)
        if isinstance(tensor, (Tensor, View)):
            machine.write(
                tensor, call, node, origin="framework default", told=False, reason="" if call is not None else "its size is not known"
            )
    return None
