"""What is known while one forward() is read: the names that hold arguments or layers, and the uses that were found."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.source.needs import Need, bare
from initcheck.construct.inputs.source.reading import Key, Origin, Use
from initcheck.construct.inputs.source.syntax import BUNDLES, dotted
from initcheck.construct.inputs.source.unrolling import Bound


@dataclass(slots=True)
class Notes:
    """The state of a reader of `module`, whose name inside the model is `path`."""

    module: Module
    path: str
    owner: str = "self"
    found: dict[Key, Use] = field(default_factory=dict)
    parts: dict[Key, None] = field(default_factory=dict)
    names: dict[str, Origin] = field(default_factory=dict)
    layers: dict[str, tuple[Module, str]] = field(default_factory=dict)
    indices: dict[str, int] = field(default_factory=dict)
    lists: dict[str, list[Origin | None]] = field(default_factory=dict)
    stars: frozenset[str] = frozenset()
    unsure: int = 0

    def bind(self, name: str, origin: Origin | None) -> None:
        """Lets a name stand for a value from the arguments, or for none."""
        if origin is None:
            self.names.pop(name, None)
        else:
            self.names[name] = origin

    def part(self, origin: Origin, index: str | int) -> Origin:
        """A part of an argument, which is noted as read where it is read for certain."""
        key = (*origin.keys[0], index)
        if not self.unsure:
            self.parts[key] = None
        return Origin((key,))

    def enter_round(self, bound: dict[str, Bound]) -> None:
        """Binds the names of one round of a loop."""
        for name, what in bound.items():
            if isinstance(what, int):
                self.indices[name] = what
            elif isinstance(what, Origin):
                parted = len(what.keys[0]) > 1 and isinstance(what.keys[0][-1], int)
                self.names[name] = what if not parted else self.part(Origin((what.keys[0][:-1],)), what.keys[0][-1])
            else:
                self.layers[name] = what

    def number(self, index: ast.expr) -> int | None:
        """The whole number that an index is, if it is known."""
        if isinstance(index, ast.Name):
            return self.indices.get(index.id)
        return index.value if isinstance(index, ast.Constant) and type(index.value) is int else None

    def note_bare(self, name: str, origin: Origin | None, weight: ast.expr) -> None:
        """Notes a function that reads an argument with a parameter as its weight."""
        path = dotted(weight, self.owner)
        target: Any = self.module
        for part in path:
            target = getattr(target, part, None)
        if origin is not None and isinstance(target, Tensor):
            wish = bare(name, target, ".".join(filter(None, [self.path, *path])))
            self.note(origin, None if wish is None else Use(wish))

    def note(self, origin: Origin | None, use: Use | None) -> None:
        """Notes the first layer that an argument enters."""
        if use is None or origin is None:
            return
        wish = use.need
        for share, key in enumerate(origin.keys):
            if origin.column >= 0 and wish.kind == "ids":
                self.column(key, origin.column, wish)
                continue
            stepped = origin.stepped if origin.stepped >= 0 else use.stepped
            count, added = len(origin.keys) * use.shares, origin.added or use.added
            divided = origin.divided * use.divided
            self.found.setdefault(key, Use(wish, count, share + use.share, stepped, origin.beside + use.beside, added, divided))

    def column(self, key: Key, column: int, wish: Need) -> None:
        """Notes the table of one column of an argument."""
        before = self.found.get(key)
        if before is not None and before.need.kind != "columns":
            return
        sizes = list(before.need.shape if before is not None else ())
        sizes += [wish.size] * (column + 1 - len(sizes))
        sizes[column] = wish.size
        self.found[key] = Use(Need("columns", max(sizes), wish.path, wish.source, tuple(sizes)))

    def layer(self, expression: ast.expr) -> tuple[Module, str] | None:
        """The module that an expression such as `self.blocks[0].attn` names."""
        if isinstance(expression, ast.Name):
            return (self.module, self.path) if expression.id == self.owner else self.layers.get(expression.id)
        if isinstance(expression, ast.Attribute):
            part: Any = expression.attr
        elif isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Constant):
            part = str(expression.slice.value)
        elif isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Name):
            part = str(self.indices.get(expression.slice.id, 0))
        else:
            return None
        owner = self.layer(expression.value)
        child = None if owner is None else owner[0]._modules.get(part)  # noqa: SLF001  (getattr would run properties)
        return None if owner is None or child is None else (child, f"{owner[1]}.{part}".lstrip("."))

    def is_bundle(self, origin: Origin) -> bool:
        """Whether a value holds several tensors: by its name, or because it is a part of one that does."""
        key = origin.keys[0] if len(origin.keys) == 1 else ()
        return len(key) == 1 and (key[0] in BUNDLES or key[0] in self.stars)


def may_be_bundle(origin: Origin, target: ast.Tuple | ast.List) -> bool:
    """An argument that is unpacked whole, unless its name says that it is a pair of rows."""
    if len(origin.keys) != 1 or origin.stepped >= 0 or len(target.elts) > 6:
        return False
    return not any(word in str(origin.keys[0][-1]).lower() for word in ("edge", "index", "pair", "shape", "size"))
