"""Lists of sizes, of names, of layers and of rows, as the source takes them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from initcheck.construct.arguments.holes import Candidate, Hole, Node, Uses, plain
from initcheck.construct.arguments.table import known, likely, listed, normal

if TYPE_CHECKING:
    from initcheck.construct.arguments.filling import Filling


def lists(_: Filling, hole: Hole, values: tuple[Any, ...]) -> Iterator[Candidate]:
    """Lists that fit the elements' uses."""
    uses = hole.uses
    element = uses.element or Uses()
    if "module" in element.kinds or "called" in element.kinds:
        yield Candidate("list", None, "[nn.Linear(64, 64)]", lambda *_: _layers())
        return
    if uses.arity or element.arity or (element.length and "list" in element.kinds):
        yield plain([_row(uses, element), _row(uses, element)])
        yield plain([[_row(uses, element)]])
    words = [choice for choice in element.choices if isinstance(choice, str)]
    if words and ({"int", "number", "list"} & set(element.kinds) or hole.name.startswith("cfg")):
        yield plain([64, words[0], 128, words[0]])
    elif words:
        yield plain(words)
    named = next((found for found in map(listed, (hole.name, *hole.aliases)) if found), ())
    counted = element.kinds and not {"in_features", "out_features", "in_channels", "out_channels"} & set(element.aliases)
    if normal(hole.name) == "layers" and not counted:
        named = (128, 64)  # widths: nobody counts to them
    if re.search(r"range|bound|limit", normal(hole.name)) and uses.length <= 2:
        named = (-1.0, 1.0)
    sizes = named or tuple(value for value in values[:1] if isinstance(value, (int, float)) and not isinstance(value, bool)) * 2 or (64, 64)
    if element.fields or "list" in element.kinds:
        yield plain([list(sizes), list(sizes)])
    length = uses.length if uses.exact else max(uses.length, len(sizes))
    exact = [sizes[min(index, len(sizes) - 1)] for index in range(length)]
    shaped = known(hole.name)[0] in ("kernel", "stride", "padding", "image", "patch")
    yield plain(tuple(exact) if shaped else exact)
    yield plain(exact if shaped else tuple(exact))
    for more in (1, 3, 4, 5):
        yield plain([sizes[min(index, len(sizes) - 1)] for index in range(max(length, more))])
    yield plain([exact, exact])
    yield plain(["a", "b", "c"])


def _row(uses: Uses, element: Uses) -> tuple[Any, ...]:
    """One row, its parts by the names that the source gives them."""
    names = list(element.fields)[: uses.arity] if uses.arity else []
    length = uses.arity or element.arity or element.length
    row: list[Any] = []
    for index in range(length):
        part = element.fields[names[index]] if index < len(names) else Uses()
        name = names[index] if index < len(names) else ""
        candidates = [known(name)[1], *(known(alias)[1] for alias in part.aliases), likely(name)[1], (64,)]
        chosen = next(value[0] for value in candidates if value)
        words = [choice for choice in part.choices if isinstance(choice, str)]
        row.append(words[0] if words else chosen if isinstance(chosen, (int, float)) else 64)
    return tuple(row)


def _layers() -> Node:
    layers = [torch.nn.Linear(64, 64)]
    return Node(layers, lambda: "[nn.Linear(64, 64)]")
