"""What `owner.name` is: an attribute that was assigned, one of the class, or a method that the reader knows."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from initcheck.discover.static.known.layers import NORMS, SIGNATURES, kernel
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import Class, Dotted, Function, Method, Opaque, Signal, Super, Tensor, Thing, Value, View

MODULE_METHODS = frozenset(
    "apply modules children named_modules named_children parameters named_parameters buffers named_buffers register_buffer register_parameter "
    "add_module register_module to cuda cpu eval train float double half bfloat16 type requires_grad_ append extend insert items values keys "
    "reset_parameters _reset_parameters get_submodule get_parameter state_dict zero_grad extra_repr register_forward_hook".split()
)
"""Methods of every module that this reader follows or knows to be harmless."""
NUMBERS = {"math.pi": math.pi, "math.e": math.e, "numpy.pi": math.pi, "math.inf": math.inf}
"""Names of other modules that are plain numbers."""
_SAME = frozenset({"data", "real", "detach_"})
_TURNED = frozenset({"T", "mT", "H", "mH"})


def attribute(machine: Machine, owner: Value, name: str, node: ast.AST) -> Value:
    """What is known of `owner.name`."""
    if isinstance(owner, Dotted):
        if name == "__name__" and owner.name.startswith("torch.nn."):
            return owner.name.rpartition(".")[2]
        full = f"{owner.name}.{name}"
        return NUMBERS.get(full, Dotted(full))
    if isinstance(owner, Thing):
        return _of_thing(machine, owner, name, node)
    if isinstance(owner, (Tensor, View)):
        return _of_tensor(machine, owner, name)
    if isinstance(owner, Signal):
        return _of_signal(owner, name)
    if isinstance(owner, Super):
        return _of_super(machine, owner, name)
    if isinstance(owner, Class):
        return owner.node.name if name == "__name__" else _of_class(machine, owner, name, owner)
    if isinstance(owner, Opaque):
        return Opaque(owner.reason)
    return Method(owner, name)


def lineage(machine: Machine, cls: Class) -> Iterator[Class | Dotted | Opaque]:
    """A class and its ancestors, nearest first; what is not in the file by its dotted name."""
    seen: set[int] = set()
    waiting: list[Value] = [cls]
    while waiting:
        here = waiting.pop(0)
        if not isinstance(here, Class):
            yield here if isinstance(here, (Dotted, Opaque)) else Opaque("a base class that is not known")
            continue
        if id(here.node) in seen:
            continue
        seen.add(id(here.node))
        yield here
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in here.node.bases]
        waiting = [*(machine.read(base, here.scope) for base in bases), *waiting]


def members(cls: Class) -> Iterator[ast.stmt]:
    """The statements of a class body, those of plain `if` blocks included."""
    for statement in cls.node.body:
        if isinstance(statement, ast.If):
            yield from statement.body
        else:
            yield statement


def _of_class(machine: Machine, cls: Class, name: str, owner: Value) -> Value:
    """An attribute of a class, bound to `owner`."""
    for ancestor in lineage(machine, cls):
        if not isinstance(ancestor, Class):
            continue
        for statement in members(ancestor):
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == name:
                return _method(machine, statement, ancestor, owner)
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                return Class(statement, ancestor.scope)
            value = _class_value(statement, name)
            if value is not None:
                return machine.read(value, ancestor.scope)
    return Method(owner, name) if isinstance(owner, Thing) else machine.open(f"`{name}` is not in the file")


def _class_value(statement: ast.stmt, name: str) -> ast.expr | None:
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return None
    named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
    return statement.value if named else None


def _method(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, home: Class, owner: Value) -> Value:
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    if "staticmethod" in marks:
        return Function(node, home.scope, None, home)
    if "classmethod" in marks:
        return Function(node, home.scope, home if isinstance(owner, Thing) else owner, home)
    bound = Function(node, home.scope, owner if isinstance(owner, Thing) else None, home)
    if any("property" in mark for mark in marks):
        return machine.call(machine, bound, [], {}, node) if isinstance(owner, Thing) else machine.open(f"`{node.name}` is a property")
    if any(mark.endswith(".setter") for mark in marks):
        return machine.open(f"`{node.name}` is a property")
    return bound


def _of_thing(machine: Machine, owner: Thing, name: str, node: ast.AST) -> Value:
    if name in owner.recomputed:
        tensor = owner.attributes.get(name)
        return View(tensor, computed=True) if isinstance(tensor, Tensor) else machine.open("computed at run time")
    if name in owner.attributes:
        return owner.attributes[name]
    if name == "__class__":
        return owner.cls if owner.cls is not None else Dotted(owner.dotted)
    if name == "training" and owner.module:
        return True
    del node
    if owner.cls is not None:
        found = _of_class(machine, owner.cls, name, owner)
        if not isinstance(found, Method):
            return found
    known = _argument(owner, name)
    if known is not None:
        return known
    if owner.doubt and not (owner.module and name in MODULE_METHODS):
        return Method(owner, name)
    return Method(owner, name)


def _argument(owner: Thing, name: str) -> Value:
    """An argument of a module of torch, which keeps it under its own name."""
    short = owner.dotted.rpartition(".")[2]
    if not owner.dotted.startswith("torch.nn.") or name not in SIGNATURES.get(short, "").split():
        if name in ("bias", "weight") and (short in NORMS or short in SIGNATURES):
            return None
        return None
    found = owner.arguments.get(name)
    if short.startswith("Conv") and name in ("kernel_size", "stride", "dilation", "padding"):
        default = {"stride": 1, "padding": 0, "dilation": 1}.get(name)
        sizes = kernel(short, found if found is not None else default)
        return sizes if None not in sizes else Opaque(f"`{name}` is not known")
    defaults = {"groups": 1, "eps": 1e-5, "num_layers": 1, "dropout": 0.0}
    if name == "padding_idx":
        return found
    return found if found is not None else defaults.get(name)


def present(machine: Machine, owner: Thing, name: str) -> bool | None:
    """Whether an object has an attribute; None when that is not known."""
    if name in owner.attributes or name in owner.recomputed or _argument(owner, name) is not None:
        return True
    if owner.cls is not None:
        found = _of_class(machine, owner.cls, name, owner)
        if not isinstance(found, Method):
            return True
    if owner.module and name in MODULE_METHODS | {"forward", "training"}:
        return name in MODULE_METHODS - {"append", "extend", "insert", "items", "values", "keys", "reset_parameters"} or None
    return (
        None
        if owner.doubt or (owner.cls is None and owner.dotted.rpartition(".")[2] not in SIGNATURES and name not in ("weight", "bias"))
        else False
    )


def _of_tensor(machine: Machine, owner: Tensor | View, name: str) -> Value:
    base = owner.base if isinstance(owner, View) else owner
    view = owner if isinstance(owner, View) else None
    if name in _SAME:
        return owner
    if name in _TURNED:
        return View(
            base,
            view.whole if view is not None else True,
            turned=not (view is not None and view.turned),
            computed=view is not None and view.computed,
        )
    if name == "shape":
        return base.shape if base.shape is not None and view is None else Opaque("a shape that is not known")
    if name in ("ndim", "dim"):
        return len(base.shape) if base.shape is not None and name == "ndim" and view is None else Method(owner, name)
    if name == "requires_grad":
        return base.trainable
    if name in ("device", "dtype", "grad", "grad_fn", "is_cuda"):
        return machine.open(f"`{name}` of a tensor")
    return Method(owner, name)


def _of_signal(owner: Signal, name: str) -> Value:
    if name in _SAME or name in _TURNED:
        return owner
    if name in ("shape", "device", "dtype", "ndim", "is_cuda", "requires_grad"):
        return Opaque("the shape of what flows through is known at run time only", number=name in ("shape", "ndim"))
    return Method(owner, name)


def _of_super(machine: Machine, owner: Super, name: str) -> Value:
    if owner.home is None:
        return Opaque("`super` outside a class")
    following = False
    mine = owner.owner.cls if isinstance(owner.owner, Thing) and owner.owner.cls is not None else owner.home
    for ancestor in lineage(machine, mine):
        if isinstance(ancestor, Class):
            if following:
                for statement in members(ancestor):
                    if isinstance(statement, ast.FunctionDef) and statement.name == name:
                        return _method(machine, statement, ancestor, owner.owner)
            following = following or ancestor.node is owner.home.node
        elif following and name == "__init__":
            if isinstance(ancestor, Dotted) and ancestor.name == "builtins.object":
                continue
            return Method(owner.owner, f"__init__:{ancestor.name if isinstance(ancestor, Dotted) else ''}")
    return Method(owner.owner, name if name != "__init__" else "__init__:builtins.object")
