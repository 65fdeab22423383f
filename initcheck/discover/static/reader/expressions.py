"""Expressions: constants are folded, names looked up, calls followed; everything else is open."""

from __future__ import annotations

import ast
from collections.abc import Callable

from initcheck.discover.static.known import tensors
from initcheck.discover.static.reader import comprehensions
from initcheck.discover.static.reader.attributes import attribute
from initcheck.discover.static.reader.calls import call
from initcheck.discover.static.reader.folding import NOT_GIVEN, binary, compared, element, listed, numeric, reason_of, truth
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import (
    Dotted,
    Function,
    Opaque,
    Scope,
    Signal,
    Super,
    Tensor,
    Value,
    View,
    signals,
)


def value(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """What is known of the value of an expression."""
    machine.step()
    handler = _HANDLERS.get(type(node))
    return handler(machine, node, scope) if handler is not None else machine.open(NOT_GIVEN)


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
        return machine.open(reason_of(operand)) if verdict is None else not verdict
    if isinstance(operand, (int, float)):
        return -operand if isinstance(node.op, ast.USub) else +operand if isinstance(node.op, ast.UAdd) else machine.open(NOT_GIVEN)
    if isinstance(operand, (Tensor, View)) and isinstance(node.op, ast.USub):
        return tensors.arithmetic(machine, operand, "Mult", -1.0, node)
    return operand if isinstance(operand, Signal) else Opaque(reason_of(operand), number=numeric(operand))


def _boolean(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    stops = isinstance(node.op, ast.Or)
    found: Value = None
    for operand in node.values:
        found = value(machine, operand, scope)
        verdict = truth(found)
        if verdict is None:
            return machine.open(reason_of(found)) if not signals(found) else found
        if verdict is stops:
            return found
    return found


def _compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    left = value(machine, node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = value(machine, comparator, scope)
        verdict = compared(left, op, right)
        if verdict is None:
            return machine.open(reason_of(left, right))
        if not verdict:
            return False
        left = right
    return True


def _conditional(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    verdict = truth(value(machine, node.test, scope))
    if verdict is not None:
        return value(machine, node.body if verdict else node.orelse, scope)
    reason = f"{machine.where(node)} decides it at run time"
    with machine.maybe(reason):
        return machine.merged(value(machine, node.body, scope), value(machine, node.orelse, scope), reason)


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    found: list[Value] = []
    for part in node.elts:
        if isinstance(part, ast.Starred):
            items = listed(machine, value(machine, part.value, scope))
            found += items if items is not None else [Opaque("elements that are not known", rest=True)]
        else:
            found.append(value(machine, part, scope))
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
        key: Value = slice(*ends) if all(end is None or isinstance(end, int) for end in ends) else Opaque(reason_of(*ends))
    else:
        key = value(machine, node.slice, scope)
    return element(machine, owner, key)


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    del machine
    return Function(node, scope)


def _joined(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = []
    for piece in node.values:
        found = (
            piece.value
            if isinstance(piece, ast.Constant)
            else value(machine, piece.value, scope)
            if isinstance(piece, ast.FormattedValue)
            else None
        )
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
    ast.ListComp: comprehensions.listing,
    ast.SetComp: comprehensions.listing,
    ast.GeneratorExp: comprehensions.listing,
    ast.DictComp: comprehensions.dictionary,
    ast.Lambda: _lambda,
    ast.JoinedStr: _joined,
    ast.NamedExpr: _walrus,
}
