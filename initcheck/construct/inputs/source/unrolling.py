"""Loops over lists of layers that count or pair them: what each round binds."""

from __future__ import annotations

import ast
from typing import Protocol, TypeAlias

from torch import nn
from torch.nn import Module

from initcheck.construct.inputs.source.reading import Origin

Bound: TypeAlias = int | Origin | tuple[Module, str]
"""A number, a part of an argument, or a layer with its path."""

_MOST = 64


class Scope(Protocol):
    """The names that a reader knows."""

    names: dict[str, Origin]

    def layer(self, expression: ast.expr) -> tuple[Module, str] | None:
        """The module that an expression names."""


def bindings(target: ast.expr, source: ast.expr, scope: Scope, *, single: bool = False) -> list[dict[str, Bound]] | None:
    """What each round of a loop binds; `None` for loops that are no counted or paired walk over layers (or any walk, when `single`)."""
    if isinstance(source, (ast.Tuple, ast.List)):
        return [_literal(target, element, scope) for element in source.elts] if isinstance(target, ast.Tuple) else None
    if not single and not (isinstance(source, ast.Call) and isinstance(source.func, ast.Name)):
        return None
    count = _length(source, scope)
    if not count or count > _MOST:
        return None
    rounds: list[dict[str, Bound]] = []
    for index in range(count):
        bound: dict[str, Bound] = {}
        _bind(target, source, scope, index, bound)
        rounds.append(bound)
    return rounds


def _literal(target: ast.Tuple, element: ast.expr, scope: Scope) -> dict[str, Bound]:
    """One round over pairs that are written out: `for rnn, x in ((self.a, text), (self.b, audio))`."""
    bound: dict[str, Bound] = {}
    for part, value in zip(target.elts, element.elts if isinstance(element, (ast.Tuple, ast.List)) else [], strict=False):
        if not isinstance(part, ast.Name):
            continue
        layer = scope.layer(value)
        origin = scope.names.get(value.id) if isinstance(value, ast.Name) else None
        if layer is not None:
            bound[part.id] = layer
        elif origin is not None and len(origin.keys) == 1:
            bound[part.id] = origin
    return bound


def _bind(target: ast.expr, source: ast.expr, scope: Scope, index: int, bound: dict[str, Bound]) -> None:
    name = source.func.id if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) else ""
    parts = target.elts if isinstance(target, ast.Tuple) else []
    if isinstance(source, ast.Call) and name == "enumerate" and len(parts) == 2 and source.args:
        if isinstance(parts[0], ast.Name):
            bound[parts[0].id] = index
        _bind(parts[1], source.args[0], scope, index, bound)
    elif isinstance(source, ast.Call) and name == "zip":
        for part, argument in zip(parts, source.args, strict=False):
            _bind(part, argument, scope, index, bound)
    elif name == "range" and isinstance(target, ast.Name):
        bound[target.id] = index
    elif isinstance(target, ast.Name):
        layers = _layers(source, scope)
        if layers is not None:
            bound[target.id] = layers[index]
        elif isinstance(source, ast.Name) and (origin := scope.names.get(source.id)) is not None and len(origin.keys) == 1:
            bound[target.id] = Origin(((*origin.keys[0], index),))
    elif len(parts) == 2 and isinstance(parts[1], ast.Name) and (pairs := _layers(source, scope)) is not None:
        bound[parts[1].id] = pairs[index]


def _length(source: ast.expr, scope: Scope) -> int:
    """The rounds that the lists of layers allow; 0 when there are none."""
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.args:
        if source.func.id in ("enumerate", "zip"):
            return min((size for argument in source.args if (size := _length(argument, scope))), default=0)
        inner = source.args[-1]
        if source.func.id == "range" and isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "len" and inner.args:
            return _length(inner.args[0], scope)
        return 0
    layers = _layers(source, scope)
    return len(layers) if layers else 0


def _layers(source: ast.expr, scope: Scope) -> list[tuple[Module, str]] | None:
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr in ("items", "values"):
        source = source.func.value
    found = scope.layer(source)
    if found is None or not isinstance(found[0], (nn.ModuleList, nn.Sequential, nn.ModuleDict)):
        return None
    return [(child, f"{found[1]}.{name}".lstrip(".")) for name, child in found[0].named_children()]
