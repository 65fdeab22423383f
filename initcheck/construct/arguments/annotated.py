"""Candidates from the annotation of a parameter."""

from __future__ import annotations

import ast
import collections.abc
import dataclasses
import enum
import types
import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from initcheck.construct.arguments.holes import EMPTY, Candidate, Hole, plain
from initcheck.construct.arguments.sources import function_of
from initcheck.construct.arguments.table import known, listed
from initcheck.construct.stand_ins.objects import StandIn

if TYPE_CHECKING:
    from initcheck.construct.arguments.filling import Filling


def annotated(filling: Filling, hole: Hole) -> list[Candidate]:
    """Values of the annotated type, those of the table that are of the type first."""
    annotation = hole.annotation
    if annotation is EMPTY or annotation is None:
        return []
    if isinstance(annotation, str):
        annotation = _read(annotation, hole.owner)
    if isinstance(annotation, StandIn):  # a type of a package that is not installed
        return []
    return list(_of(filling, hole, annotation))


def _read(text: str, owner: Any) -> Any:
    """What the text of an annotation means; `None` when that is not known. Nothing is evaluated but names and subscripts."""
    function = function_of(owner)
    space = function.__globals__ if function is not None else {}
    try:
        return _value(ast.parse(text, mode="eval").body, space)
    except (SyntaxError, TypeError, AttributeError, LookupError):  # an annotation that only a type checker reads
        return None


def _value(node: ast.expr, space: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return space[node.id] if node.id in space else getattr(__import__("builtins"), node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, space), node.attr)
    if isinstance(node, ast.Subscript):
        return _value(node.value, space)[_value(node.slice, space)]
    if isinstance(node, (ast.Tuple, ast.List)):
        items = tuple(_value(item, space) for item in node.elts)
        return items if isinstance(node, ast.Tuple) else list(items)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return typing.Union[_value(node.left, space), _value(node.right, space)]  # noqa: UP007
    raise TypeError(ast.unparse(node))


def _of(filling: Filling, hole: Hole, annotation: Any) -> Iterator[Candidate]:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        for part in parts:
            if part is not type(None):
                yield from _of(filling, hole, part)
        if type(None) in parts:
            yield plain(None)
    elif origin is typing.Annotated:
        yield from _of(filling, hole, parts[0])
    elif origin is typing.Literal:
        yield from (plain(part) for part in parts)
    elif origin in (list, tuple, collections.abc.Sequence, collections.abc.Iterable):
        yield from _sequence(hole, tuple if origin is tuple else list, parts)
    elif annotation in (list, tuple, typing.List, typing.Tuple):  # noqa: UP006
        yield from _sequence(hole, tuple if annotation in (tuple, typing.Tuple) else list, ())  # noqa: UP006
    elif (
        origin is type
        or annotation is type
        or origin is collections.abc.Callable
        or annotation in (typing.Callable, collections.abc.Callable)
    ):
        yield from _callables(filling, hole)
    elif isinstance(annotation, type):
        yield from _type(filling, hole, annotation)


def _callables(filling: Filling, hole: Hole) -> Iterator[Candidate]:
    from initcheck.construct.arguments.objects import objects

    role = known(hole.name)[0]
    called = "called" in hole.uses.kinds and "constructs" not in hole.uses.kinds
    yield from (
        item for item in objects(filling, hole, role, "called" if called else "constructs") if item.kind not in ("object", "vocabulary")
    )


def _sequence(hole: Hole, kind: Any, parts: tuple[Any, ...]) -> Iterator[Candidate]:
    inner = [part for part in parts if part is not Ellipsis]
    fixed = kind is tuple and bool(inner) and Ellipsis not in parts
    values = tuple(value for value in known(hole.name)[1] if isinstance(value, int))
    names = listed(hole.name) or values[:1] * 2 or (64, 64)
    if inner and inner[0] is str:
        names = tuple(value for value in names if isinstance(value, str)) or ("a", "b", "c")
    elif inner and inner[0] is int:
        names = tuple(value for value in names if isinstance(value, int)) or (64, 64)
    elif inner and inner[0] is float:
        names = (1.0, 0.5)
    elif inner and inner[0] is not Any:
        return
    length = len(inner) if fixed else hole.uses.length or len(names)
    if fixed and values and not listed(hole.name):
        names = values[:1]
    yield plain(kind(names[min(index, len(names) - 1)] for index in range(length)))


def _type(filling: Filling, hole: Hole, annotation: type) -> Iterator[Candidate]:
    from initcheck.construct.arguments.objects import built, config_class, own_classes

    values = [value for value in (*known(hole.name)[1], *hole.uses.choices) if type(value) is annotation]
    if annotation in (int, float, str, bool):
        ints = [float(value) for value in known(hole.name)[1] if annotation is float and type(value) is int]
        spare = {int: 64, float: 1.0, str: "relu", bool: False}[annotation]
        yield from (plain(value) for value in (*values, *ints, spare))
    elif issubclass(annotation, enum.Enum):
        yield from (plain(member, str(member)) for member in annotation)
    elif issubclass(annotation, nn.Module):
        kinds = [annotation] if annotation is not nn.Module and not annotation.__subclasses__() else []
        kinds += [each for each in own_classes(filling) if annotation is not nn.Module and issubclass(each, annotation)]
        for each in dict.fromkeys(kinds):
            if each not in filling.making:
                yield built(each)
    elif issubclass(annotation, torch.device):
        yield Candidate("device", torch.device("cpu"), "torch.device('cpu')")
    elif dataclasses.is_dataclass(annotation) or annotation in own_classes(filling):
        yield config_class(annotation)
