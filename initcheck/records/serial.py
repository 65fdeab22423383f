"""Records to plain JSON values and back, without loss."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from initcheck.records.fact import Known, Unknown

R = TypeVar("R")


def to_plain(value: Any) -> Any:
    """Dictionaries, lists, strings and numbers that JSON can hold; non-finite floats become strings."""
    if isinstance(value, Known):
        return {"known": to_plain(value.value)}
    if isinstance(value, Unknown):
        return {"unknown": value.reason}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"no plain form for {type(value).__name__}")


def from_plain(kind: type[R], data: Any) -> R:
    """The record that `to_plain` came from.

    Raises:
        ValueError: when the data does not fit the record.
    """
    return _build(kind, data)  # type: ignore[no-any-return]  # the hints are only known at run time


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _build(hint: Any, data: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _build_union(get_args(hint), data)
    if origin is Literal:
        return data
    if origin is tuple:
        return _build_tuple(get_args(hint), data)
    if hint is float:
        return float(data)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(data, dict):
            raise ValueError(f"{hint.__name__} needs an object, got {type(data).__name__}")
        hints = _hints(hint)
        return hint(**{name: _build(hints[name], value) for name, value in data.items()})
    return data


def _build_tuple(arguments: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_build(arguments[0], item) for item in data)
    return tuple(_build(hint, item) for hint, item in zip(arguments, data, strict=True))


def _build_union(arguments: tuple[Any, ...], data: Any) -> Any:
    if data is None:
        return None
    known = next((hint for hint in arguments if get_origin(hint) is Known), None)
    if known is not None:
        if "unknown" in data:
            return Unknown(data["unknown"])
        return Known(_build(get_args(known)[0], data["known"]))
    for hint in arguments:
        if hint is type(None):
            continue
        if hint is float and (isinstance(data, float) or data in ("nan", "inf", "-inf")):
            return float(data)
        if _fits(hint, data):
            return _build(hint, data)
    raise ValueError(f"{data!r} fits none of {arguments}")


def _fits(hint: Any, data: Any) -> bool:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return isinstance(data, dict)
    if origin is tuple:
        return isinstance(data, list)
    if hint in (int, float):
        return isinstance(data, (int, float)) and not isinstance(data, bool)
    return isinstance(hint, type) and isinstance(data, hint)
