"""Expressions: constants are folded, names looked up, calls followed; everything else is open."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Sequence

from initcheck.discover.static import network, tensors
from initcheck.discover.static.attributes import attribute
from initcheck.discover.static.calls import call
from initcheck.discover.static.machine import Machine
from initcheck.discover.static.values import Bound, Class, Dotted, Function, Method, Opaque, Scope, Signal, Super, Tensor, Thing, Value, View, certain, signals

LONGEST = 20_000
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


def value(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """What is known of the value of an expression."""
    machine.step()
    handler = _HANDLERS.get(type(node))
    return handler(machine, node, scope) if handler is not None else machine.open(NOT_GIVEN)


def truth(found: Value) -> bool | None:
    """Whether a value is true; None when that is not known."""
    if isinstance(found, (Opaque, Signal, Tensor, View)):
        return None
    if isinstance(found, Thing):
        return True if found.dotted not in ("torch.nn.ModuleList", "torch.nn.Sequential", "torch.nn.ModuleDict") else bool(found.attributes) or None
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
    numbers = all(_numeric(one) for one in (left, right))
    return Opaque(_reason(left, right), number=numbers)


def _huge(left: Value, right: Value) -> bool:
    return not isinstance(right, (int, float)) or abs(right) > 64 or (isinstance(left, (int, float)) and abs(left) > 1e6)


def _numeric(one: Value) -> bool:
    return isinstance(one, (int, float)) or (isinstance(one, Opaque) and one.number)


def _reason(*found: Value) -> str:
    return next((one.reason for one in found if isinstance(one, Opaque)), NOT_GIVEN)


def _constant(machine: Machine, node: ast.Constant, scope: Scope) -> Value:
    del scope
    return machine.open("an argument that nobody gave") if node.value is ... else node.value


def _name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    home = scope.find(node.id)
    if home is not None:
        return home.names[node.id]
    if node.id in machine.names.aliases:
        return Dotted(machine.names.aliases[node.id])
    if "torch.nn" in machine.names.stars and node.id[:1].isupper():
        return Dotted(f"torch.nn.{node.id}")
    return Dotted(f"builtins.{node.id}")


def _attribute(machine: Machine, node: ast.Attribute, scope: Scope) -> Value:
    return attribute(machine, value(machine, node.value, scope), node.attr, node)


def _call(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    function = value(machine, node.func, scope)
    if isinstance(function, Dotted) and function.name == "builtins.super":
        return _super(node, scope)
    positional: list[Value] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            items = listed(machine, value(machine, argument.value, scope))
            positional += items if items is not None else [Opaque("arguments that are not known", rest=True)]
        else:
            positional.append(value(machine, argument, scope))
    keywords: dict[str, Value] = {}
    for item in node.keywords:
        given = value(machine, item.value, scope)
        if item.arg is not None:
            keywords[item.arg] = given
        elif isinstance(given, dict) and all(isinstance(key, str) for key in given):
            keywords.update(given)
        else:
            keywords["**"] = machine.open("keyword arguments that are not known")
    return call(machine, function, positional, keywords, node)


def _super(node: ast.Call, scope: Scope) -> Value:
    here: Scope | None = scope
    while here is not None and "<home>" not in here.names:
        here = here.outer
    del node
    return Super(here.names["<self>"], here.names["<home>"]) if here is not None else Opaque("`super` outside a method")


def _binary(machine: Machine, node: ast.BinOp, scope: Scope) -> Value:
    return binary(machine, value(machine, node.left, scope), type(node.op).__name__, value(machine, node.right, scope), node)


def _unary(machine: Machine, node: ast.UnaryOp, scope: Scope) -> Value:
    operand = value(machine, node.operand, scope)
    if isinstance(node.op, ast.Not):
        verdict = truth(operand)
        return machine.open(_reason(operand)) if verdict is None else not verdict
    if isinstance(operand, (int, float)):
        return -operand if isinstance(node.op, ast.USub) else +operand if isinstance(node.op, ast.UAdd) else machine.open(NOT_GIVEN)
    if isinstance(operand, (Tensor, View)) and isinstance(node.op, ast.USub):
        return tensors.arithmetic(machine, operand, "Mult", -1.0, node)
    return operand if isinstance(operand, Signal) else Opaque(_reason(operand), number=_numeric(operand))


def _boolean(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    stops = isinstance(node.op, ast.Or)
    found: Value = None
    for operand in node.values:
        found = value(machine, operand, scope)
        verdict = truth(found)
        if verdict is None:
            return machine.open(_reason(found)) if not signals(found) else found
        if verdict is stops:
            return found
    return found


def _compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    left = value(machine, node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = value(machine, comparator, scope)
        verdict = _compared(left, op, right)
        if verdict is None:
            return machine.open(_reason(left, right))
        if not verdict:
            return False
        left = right
    return True


def _compared(left: Value, op: ast.cmpop, right: Value) -> bool | None:
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


def _conditional(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    verdict = truth(value(machine, node.test, scope))
    if verdict is not None:
        return value(machine, node.body if verdict else node.orelse, scope)
    reason = f"{machine.where(node)} decides it at run time"
    with machine.maybe(reason):
        return machine.merged(value(machine, node.body, scope), value(machine, node.orelse, scope), reason)


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    found: list[Value] = []
    for element in node.elts:
        if isinstance(element, ast.Starred):
            items = listed(machine, value(machine, element.value, scope))
            found += items if items is not None else [Opaque("elements that are not known", rest=True)]
        else:
            found.append(value(machine, element, scope))
    return tuple(found) if isinstance(node, ast.Tuple) else found


def _dictionary(machine: Machine, node: ast.Dict, scope: Scope) -> Value:
    found: dict[Value, Value] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        inner = value(machine, item, scope)
        name = value(machine, key, scope) if key is not None else None
        if key is None and isinstance(inner, dict):
            found.update(inner)
        elif key is None or not isinstance(name, (str, int, float, tuple, type(None))):
            return machine.open("a dictionary with keys that are not known")
        else:
            found[name] = inner
    return found


def _subscript(machine: Machine, node: ast.Subscript, scope: Scope) -> Value:
    owner = value(machine, node.value, scope)
    if isinstance(node.slice, ast.Slice):
        ends = [None if end is None else value(machine, end, scope) for end in (node.slice.lower, node.slice.upper, node.slice.step)]
        key: Value = slice(*ends) if all(end is None or isinstance(end, int) for end in ends) else Opaque(_reason(*ends))
    else:
        key = value(machine, node.slice, scope)
    return item(machine, owner, key)


def item(machine: Machine, owner: Value, key: Value) -> Value:
    """`owner[key]`."""
    if isinstance(owner, Signal):
        return owner
    if isinstance(owner, (Tensor, View)):
        return View(owner.base if isinstance(owner, View) else owner, whole=False, computed=isinstance(owner, View) and owner.computed)
    if isinstance(owner, Thing) and owner.dotted in ("torch.nn.ModuleList", "torch.nn.Sequential", "torch.nn.ModuleDict", "torch.nn.ParameterList"):
        return _member(machine, owner, key)
    if isinstance(owner, (list, tuple, str, range)) and isinstance(key, (int, slice)) and not any(isinstance(one, Opaque) and one.rest for one in owner):
        try:
            return owner[key]
        except (IndexError, ValueError):
            return machine.open("an index out of range")
    if isinstance(owner, dict) and isinstance(key, (str, int, float, tuple, type(None))) and key in owner:
        return owner[key]
    found = signals(owner)
    return machine.op("unknown", found) if found else machine.open(_reason(owner, key))


def _member(machine: Machine, owner: Thing, key: Value) -> Value:
    members = list(owner.attributes.values())
    if isinstance(key, str):
        return owner.attributes.get(key, machine.open(f"no member `{key}`"))
    if owner.doubt or not isinstance(key, (int, slice)):
        return machine.open(owner.doubt or _reason(key))
    try:
        return members[key]
    except IndexError:
        return machine.open("an index out of range")


def _comprehension(machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Value:
    found: list[Value] = []
    for inner, reason in _rounds(machine, node.generators, Scope({}, scope, scope.qualname)):
        if reason:
            with machine.maybe(reason):
                value(machine, node.elt, inner)
            found.append(Opaque(reason, rest=True))
        else:
            found.append(value(machine, node.elt, inner))
    return found


def _dict_comprehension(machine: Machine, node: ast.DictComp, scope: Scope) -> Value:
    found: dict[Value, Value] = {}
    for inner, reason in _rounds(machine, node.generators, Scope({}, scope, scope.qualname)):
        key = value(machine, node.key, inner)
        if reason or not isinstance(key, (str, int, float, tuple)):
            return machine.open(reason or "keys that are not known")
        found[key] = value(machine, node.value, inner)
    return found


def _rounds(machine: Machine, generators: Sequence[ast.comprehension], scope: Scope) -> Iterator[tuple[Scope, str]]:
    """For each round of a comprehension its names, and why it may not take place."""
    if not generators:
        yield scope, ""
        return
    first, *rest = generators
    items = listed(machine, value(machine, first.iter, scope))
    if items is None:
        items = [Opaque(f"the loop in {machine.where(first.iter)} is over something that is not known", rest=True)]
    for one in items:
        inner = Scope({}, scope, scope.qualname)
        _bind(machine, first.target, one, inner)
        verdicts = [truth(value(machine, test, inner)) for test in first.ifs]
        if False in verdicts:
            continue
        open_ = one.reason if isinstance(one, Opaque) and one.rest else "a condition that is not known" if None in verdicts else ""
        for nested, reason in _rounds(machine, rest, inner):
            yield nested, open_ or reason


def _bind(machine: Machine, target: ast.expr, found: Value, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.names[target.id] = found
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = listed(machine, found)
        known = parts is not None and len(parts) == len(target.elts)
        for index, inner in enumerate(target.elts):
            _bind(machine, inner, parts[index] if known and parts is not None else found if isinstance(found, Signal) else Opaque(NOT_GIVEN), scope)


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    del machine
    return Function(node, scope)


def _joined(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = []
    for piece in node.values:
        found = piece.value if isinstance(piece, ast.Constant) else value(machine, piece.value, scope) if isinstance(piece, ast.FormattedValue) else None
        if not isinstance(found, (str, int, float)) or getattr(piece, "format_spec", None) is not None:
            return machine.open("a text that is not known")
        parts.append(str(found))
    return "".join(parts)


def _walrus(machine: Machine, node: ast.NamedExpr, scope: Scope) -> Value:
    found = value(machine, node.value, scope)
    scope.names[node.target.id] = found
    return found


_HANDLERS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dictionary,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.Lambda: _lambda,
    ast.JoinedStr: _joined,
    ast.NamedExpr: _walrus,
}
