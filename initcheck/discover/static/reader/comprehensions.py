"""Comprehensions: their rounds, as far as the text says how many there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from initcheck.discover.static.reader.folding import NOT_GIVEN, listed, truth
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import Opaque, Scope, Signal, Value


def listing(machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Value:
    """A list, a set or a generator; all of them as a list."""
    found: list[Value] = []
    for inner, reason in _rounds(machine, node.generators, Scope({}, scope, scope.qualname)):
        if reason:
            with machine.maybe(reason):
                machine.read(node.elt, inner)
            found.append(Opaque(reason, rest=True))
        else:
            found.append(machine.read(node.elt, inner))
    return found


def dictionary(machine: Machine, node: ast.DictComp, scope: Scope) -> Value:
    """A dictionary."""
    found: dict[Value, Value] = {}
    for inner, reason in _rounds(machine, node.generators, Scope({}, scope, scope.qualname)):
        key = machine.read(node.key, inner)
        if reason or not isinstance(key, (str, int, float, tuple)):
            return machine.open(reason or "keys that are not known")
        found[key] = machine.read(node.value, inner)
    return found


def _rounds(machine: Machine, generators: Sequence[ast.comprehension], scope: Scope) -> Iterator[tuple[Scope, str]]:
    """For each round of a comprehension its names, and why it may not take place."""
    if not generators:
        yield scope, ""
        return
    first, *rest = generators
    items = listed(machine, machine.read(first.iter, scope))
    if items is None:
        items = [Opaque(f"the loop in {machine.where(first.iter)} is over something that is not known", rest=True)]
    for one in items:
        inner = Scope({}, scope, scope.qualname)
        _bind(machine, first.target, one, inner)
        verdicts = [truth(machine.read(test, inner)) for test in first.ifs]
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
            _bind(
                machine,
                inner,
                parts[index] if known and parts is not None else found if isinstance(found, Signal) else Opaque(NOT_GIVEN),
                scope,
            )
