"""Finding records by name in the tuples that hold them, without a walk through the tuple each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

R = TypeVar("R")

_KEPT = 16
_recent: OrderedDict[tuple[int, Callable[..., Iterable[str]]], tuple[tuple[Any, ...], dict[str, Any]]] = OrderedDict()
"""The dictionaries of the tuples that were asked last; each keeps its tuple alive, so that the identity stays its own."""


def find(records: tuple[R, ...], keys: Callable[[R], Iterable[str]], wanted: str) -> R | None:
    """The first record that has `wanted` among its keys.

    `keys` must be the same function object each time for the same kind of question.
    """
    mark = (id(records), keys)
    found = _recent.get(mark)
    if found is None:
        index: dict[str, Any] = {}
        for record in records:
            for key in keys(record):
                index.setdefault(key, record)
        found = _recent[mark] = (records, index)
        if len(_recent) > _KEPT:
            _recent.popitem(last=False)
    result: R | None = found[1].get(wanted)
    return result
