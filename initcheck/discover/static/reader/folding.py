"""What follows from values that are known: operators, comparisons, truth, elements."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from initcheck.discover.static.known import network, tensors
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import (
    LONGEST,
    Bound,
    Class,
    Dotted,
    Function,
    Method,
    Opaque,
    Signal,
    Tensor,
    Thing,
    Value,
    View,
    certain,
    signals,
)

_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "Pow": operator.pow,
    "BitOr": operator.or_,
    "BitAnd": operator.and_,
    "BitXor": operator.xor,
    "LShift": operator.lshift,
    "RShift": operator.rshift,
}


_COMPARISONS: dict[type[ast.cmpop], Callable[[Value, Value], Value]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}


NOT_GIVEN = "the text does not give it"


def truth(found: Value) -> bool | None:
    """Whether a value is true; None when that is not known."""
    if isinstance(found, (Opaque, Signal, Tensor, View)):
        return None
    if isinstance(found, Thing):
        return (
            True
            if found.dotted not in ("torch.nn.ModuleList", "torch.nn.Sequential", "torch.nn.ModuleDict")
            else bool(found.attributes) or None
        )
    if isinstance(found, (Dotted, Class, Function)):
        return True if not isinstance(found, Dotted) or found.name.startswith("torch.nn.") else None
    if isinstance(found, (list, dict)) and not certain(found) and len(found) == 1:
        return None
    return bool(found)


def listed(machine: Machine, found: Value) -> list[Value] | None:
    """The elements of something that can be looped over; None when they are not known."""
    if isinstance(found, Thing) and found.dotted in ("torch.nn.ModuleList", "torch.nn.Sequential", "torch.nn.ParameterList"):
        rest = [Opaque(found.doubt, rest=True)] if found.doubt else []
        return [*found.attributes.values(), *rest]
    if isinstance(found, Thing) and found.dotted == "torch.nn.ModuleDict" and not found.doubt:
        return list(found.attributes)
    if isinstance(found, (list, tuple, dict, str, set, range)) and len(found) <= LONGEST:
        return list(found)
    del machine
    return None


def binary(machine: Machine, left: Value, name: str, right: Value, node: ast.AST) -> Value:
    """`left OP right`."""
    if signals(left, right):
        return network.binary(machine, left, name, right)
    if isinstance(left, (Tensor, View)) or isinstance(right, (Tensor, View)):
        return tensors.arithmetic(machine, left, name, right, node)
    if name == "Add" and isinstance(left, list) and isinstance(right, list):
        return [*left, *right]
    if name == "Add" and isinstance(left, tuple) and isinstance(right, tuple):
        return (*left, *right)
    if name == "Mult" and isinstance(left, list) and isinstance(right, int) and len(left) * right < LONGEST:
        return left * right
    if certain(left, right) and name in _OPERATORS and not (name in ("Pow", "LShift") and _huge(left, right)):
        try:
            return _OPERATORS[name](left, right)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            return machine.open(f"{type(error).__name__} in {machine.where(node)}")
    numbers = all(numeric(one) for one in (left, right))
    return Opaque(reason_of(left, right), number=numbers)


def _huge(left: Value, right: Value) -> bool:
    return not isinstance(right, (int, float)) or abs(right) > 64 or (isinstance(left, (int, float)) and abs(left) > 1e6)


def numeric(one: Value) -> bool:
    """Whether a value is a number, known or not."""
    return isinstance(one, (int, float)) or (isinstance(one, Opaque) and one.number)


def reason_of(*found: Value) -> str:
    """Why one of these is not known."""
    return next((one.reason for one in found if isinstance(one, Opaque)), NOT_GIVEN)


def compared(left: Value, op: ast.cmpop, right: Value) -> bool | None:
    """The verdict of a comparison; None where it is not known."""
    if isinstance(left, Opaque) or isinstance(right, Opaque):
        return None
    if isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)) and not certain(left, right):
        plain = (Thing, Tensor, View, Function, Class, Signal, Bound, Method)
        if left is None or right is None:
            other = right if left is None else left
            same = False if isinstance(other, plain) or (isinstance(other, Dotted) and other.name.startswith("torch")) else None
        else:
            same = left == right if isinstance(left, (Dotted, Class)) and isinstance(right, (Dotted, Class)) else left is right or None
        return None if same is None else same is isinstance(op, (ast.Is, ast.Eq))
    if isinstance(op, (ast.Is, ast.IsNot)):
        return (left is right or (type(left) is type(right) and left == right)) is isinstance(op, ast.Is)
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, dict) and certain(left):
        return (left in right) is isinstance(op, ast.In)
    if not certain(left, right):
        return None
    try:
        return bool(_COMPARISONS[type(op)](left, right))
    except (TypeError, KeyError):
        return None


def element(machine: Machine, owner: Value, key: Value) -> Value:
    """`owner[key]`."""
    if isinstance(owner, Signal):
        return owner
    if isinstance(owner, (Tensor, View)):
        rows = _rows(owner, key) if isinstance(owner, Tensor) else None
        base = owner.base if isinstance(owner, View) else owner
        return View(base, whole=False, computed=isinstance(owner, View) and owner.computed, rows=rows)
    if isinstance(owner, Thing) and owner.dotted in (
        "torch.nn.ModuleList",
        "torch.nn.Sequential",
        "torch.nn.ModuleDict",
        "torch.nn.ParameterList",
    ):
        return _member(machine, owner, key)
    if (
        isinstance(owner, (list, tuple, str, range))
        and isinstance(key, (int, slice))
        and not any(isinstance(one, Opaque) and one.rest for one in owner)
    ):
        try:
            return owner[key]
        except (IndexError, ValueError):
            return machine.open("an index out of range")
    if isinstance(owner, dict) and isinstance(key, (str, int, float, tuple, type(None))) and key in owner:
        return owner[key]
    found = signals(owner)
    return machine.op("unknown", found) if found else machine.open(reason_of(owner, key))


def _rows(tensor: Tensor, key: Value) -> tuple[int, int] | None:
    """The rows that `tensor[key]` picks, where these are all that it picks."""
    if not tensor.shape or not isinstance(key, (int, slice)) or (isinstance(key, slice) and key.step not in (None, 1)):
        return None
    first, last, _ = (key if isinstance(key, slice) else slice(key, key + 1 or None)).indices(tensor.shape[0])
    return first, last


def _member(machine: Machine, owner: Thing, key: Value) -> Value:
    members = list(owner.attributes.values())
    if isinstance(key, str):
        return owner.attributes.get(key, machine.open(f"no member `{key}`"))
    if owner.doubt or not isinstance(key, (int, slice)):
        return machine.open(owner.doubt or reason_of(key))
    try:
        return members[key]
    except IndexError:
        return machine.open("an index out of range")
