"""Assignments: to names, to attributes of objects, to parts of tensors and lists."""

from __future__ import annotations

import ast

from initcheck.discover.static.known.tensors import data_assigned, part_assigned
from initcheck.discover.static.reader.folding import listed
from initcheck.discover.static.reader.machine import Machine, Replaced, Tie
from initcheck.discover.static.reader.values import Class, Dotted, Function, Opaque, Scope, Signal, Tensor, Thing, Value, View, signals


def assign(machine: Machine, target: ast.expr, value: Value, scope: Scope) -> None:
    """Binds a target to a value."""
    if isinstance(target, ast.Name):
        _bind(machine, target.id, value, scope)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for inner, part in zip(target.elts, _parts(machine, target, value), strict=True):
            assign(machine, inner.value if isinstance(inner, ast.Starred) else inner, part, scope)
    elif isinstance(target, ast.Attribute):
        owner = machine.read(target.value, scope)
        set_attribute(machine, owner, target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        owner, key = machine.read(target.value, scope), machine.read(target.slice, scope)
        _set_item(machine, owner, key, value, target)


def _bind(machine: Machine, name: str, value: Value, scope: Scope) -> None:
    reason = machine.unsure
    if reason and name in scope.names:
        value = machine.merged(scope.names[name], value, reason)
    elif reason and not signals(value) and not isinstance(value, (Function, Class, Dotted)):
        value = Opaque(reason) if scope.find(name) is not None else value
    scope.names[name] = value


def _parts(machine: Machine, target: ast.Tuple | ast.List, value: Value) -> list[Value]:
    count = len(target.elts)
    items = listed(machine, value)
    star = next((index for index, inner in enumerate(target.elts) if isinstance(inner, ast.Starred)), None)
    if isinstance(value, Signal):
        return [value] * count
    if items is None or any(isinstance(item, Opaque) and item.rest for item in items):
        return [machine.open("a tuple whose elements are not known")] * count
    if star is not None and len(items) >= count - 1:
        tail = count - 1 - star
        return [*items[:star], list(items[star : len(items) - tail]), *items[len(items) - tail :]]
    return list(items) if len(items) == count else [machine.open("a tuple of another length")] * count


def set_attribute(machine: Machine, owner: Value, name: str, value: Value, node: ast.AST) -> None:
    """`owner.name = value`."""
    if isinstance(owner, Thing):
        reason = machine.unsure
        if reason:
            value = machine.merged(owner.attributes.get(name), value, reason) if name in owner.attributes else machine.open(reason)
        elif owner.module:
            _note(machine, owner, name, value, node)
        owner.attributes[name] = value
    elif isinstance(owner, (Tensor, View)):
        base = owner.base if isinstance(owner, View) else owner
        if name == "data":
            data_assigned(machine, owner, value, node)
        elif name == "requires_grad":
            base.trainable = value is True
            if not isinstance(value, bool) or machine.unsure:
                base.doubt = base.doubt or "whether it is trained is decided at run time"


def _note(machine: Machine, owner: Thing, name: str, value: Value, node: ast.AST) -> None:
    """Remembers parameters that are tied and modules that are replaced."""
    before = owner.attributes.get(name)
    if isinstance(before, Thing) and isinstance(value, Thing) and before is not value:
        machine.replaced.append(Replaced(before, value, machine.place(node)))
    elif isinstance(before, Tensor) and isinstance(value, Tensor) and before.kind == value.kind == "parameter" and before is not value:
        machine.ties.append(Tie(owner, name, value, machine.place(node)))


def _within(owner: Value, key: Value) -> bool:
    """Whether a list or dictionary has a place for this key."""
    if isinstance(owner, dict):
        return isinstance(key, (str, int, tuple))
    return isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner)


def _set_item(machine: Machine, owner: Value, key: Value, value: Value, node: ast.AST) -> None:
    if isinstance(owner, (Tensor, View)):
        part_assigned(machine, owner, value, node)
    elif isinstance(owner, Thing):
        set_attribute(machine, owner, str(key), value, node)
    elif _within(owner, key):
        owner[key] = Opaque(machine.unsure) if machine.unsure else value
    elif isinstance(owner, (list, dict)):
        owner.clear()
        if isinstance(owner, list):
            owner.append(Opaque("an element at a place that is not known", rest=True))
