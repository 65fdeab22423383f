"""`isinstance`, `getattr` and their like."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from initcheck.discover.static.known.layers import BASES, SIGNATURES, WITHOUT_PARAMETERS
from initcheck.discover.static.reader.attributes import attribute, lineage, present
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import Class, Dotted, Function, Opaque, Signal, Tensor, Thing, Value, View


def isinstance_of(machine: Machine, one: Value, classes: Value) -> Value:
    """`isinstance(one, classes)`."""
    wanted = list(classes) if isinstance(classes, (tuple, list)) else [classes]
    verdicts = [_is(machine, one, cls) for cls in wanted]
    if True in verdicts:
        return True
    return machine.open("an `isinstance` that the text does not decide") if None in verdicts else False


def _is(machine: Machine, one: Value, cls: Value) -> bool | None:
    if isinstance(one, Opaque) or not isinstance(cls, (Dotted, Class)):
        return None
    if isinstance(one, Thing):
        return _is_thing(machine, one, cls)
    name = cls.name if isinstance(cls, Dotted) else ""
    plain = {"int": int, "float": float, "str": str, "list": list, "tuple": tuple, "dict": dict, "bool": bool}.get(
        name.removeprefix("builtins.")
    )
    if plain is not None:
        return isinstance(one, plain) if not isinstance(one, (Signal, Tensor, View)) else False
    if isinstance(one, (Tensor, View)):
        return name in ("torch.Tensor", "torch.nn.Parameter", "torch.FloatTensor") or None
    if isinstance(one, (int, float, str, bool, type(None), Function, list, tuple, dict)):
        return False if name.startswith(("torch.", "builtins.")) or isinstance(cls, Class) or (one is None) else None
    return True if isinstance(one, Signal) and name == "torch.Tensor" else None


def _is_thing(machine: Machine, one: Thing, cls: Dotted | Class) -> bool | None:
    ancestors = list(lineage(machine, one.cls)) if one.cls is not None else [Dotted(one.dotted)]
    if isinstance(cls, Class):
        if any(isinstance(base, Class) and base.node is cls.node for base in ancestors):
            return True
        return None if any(isinstance(base, Opaque) for base in ancestors) else False
    short = cls.name.rpartition(".")[2]
    for base in ancestors:
        if isinstance(base, Dotted) and base.name.startswith("torch.nn.") and cls.name.startswith("torch.nn."):
            own = base.name.rpartition(".")[2]
            if own == short or own in BASES.get(short, ()) or (short == "Module"):
                return True
        elif isinstance(base, Dotted) and base.name == cls.name:
            return True
    known = all(isinstance(base, Class) or (isinstance(base, Dotted) and _plain_base(base.name)) for base in ancestors)
    foreign = not cls.name.startswith(("torch.nn.", "builtins."))
    plain = short in SIGNATURES or short in BASES or short in WITHOUT_PARAMETERS or not foreign
    return False if known and (plain or one.cls is None) else None


def _plain_base(name: str) -> bool:
    return name.startswith(("torch.nn.", "builtins.", "typing.", "abc."))


def by_name(machine: Machine, short: str, positional: Sequence[Value], node: ast.AST) -> Value:
    """`getattr`, `hasattr` and `setattr`."""
    owner, name = positional[0], positional[1]
    if not isinstance(name, str):
        if short == "setattr":
            machine.taint(f"an attribute is set under a name that is not known in {machine.where(node)}", owner)
        return machine.open("an attribute whose name is not known")
    if short == "setattr":
        if isinstance(owner, Thing):
            owner.attributes[name] = Opaque(machine.unsure) if machine.unsure else positional[2]
        return None
    if not isinstance(owner, Thing):
        known = short == "getattr" and not isinstance(owner, Opaque)
        if short == "hasattr" and isinstance(owner, (Tensor, View)):
            return name in ("data", "shape", "dim") or machine.open("an attribute of a tensor")
        return attribute(machine, owner, name, node) if known else machine.open("an attribute that is not known")
    there = present(machine, owner, name)
    if there is None:
        return machine.open(f"whether there is an attribute `{name}` is not known")
    if short == "hasattr":
        return there
    if there or len(positional) < 3:
        return attribute(machine, owner, name, node)
    return positional[2]
