"""Values and what lies in the plain containers among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

NESTED = 64
"""Most members of one container that are looked at."""


def members(values: Iterable[Any], depth: int = 2) -> Iterator[Any]:
    """The values, and those in lists, tuples, sets and dictionaries among them, a few levels down."""
    for number, value in enumerate(values):
        if number >= NESTED:
            return
        kind = type(value)
        if depth and kind in (list, tuple, set, frozenset):
            yield from members(value, depth - 1)
        elif depth and kind is dict:
            yield from members(value.values(), depth - 1)
        else:
            yield value
