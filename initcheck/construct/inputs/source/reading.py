"""Which layer reads each argument of forward() first, found in the source of forward(), never by running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from torch import nn
from torch.nn import Module

from initcheck.construct.inputs.source.needs import Need, duck, need

Key: TypeAlias = tuple[str | int, ...]
"""An argument (`("x",)`), or a part of one (`("batch", "input_ids")`, `("batch", 0)`, `("data", ".x")` for an attribute)."""

DEPTH = 8
"""Modules and methods inside one another that are followed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: one key, or several that were joined along the feature axis; `stepped` is the axis it was cut along.

    `beside` counts features that layers made: those joined to it, or all of them where there are no keys. `column` was cut out of it;
    `added` says that it has a further axis by now; `divided` is the large number that it was divided by (255 for pixels), else 1.
    """

    keys: tuple[Key, ...]
    stepped: int = -1
    beside: int = 0
    column: int = -1
    added: bool = False
    divided: float = 1.0


@dataclass(frozen=True, slots=True)
class Use:
    """The first layer that an argument enters.

    `shares` arguments were joined before it, and `beside` features that layers made;
    `stepped` is the axis of a loop over time; `added` says that it got a further axis before; `divided` as in `Origin`.
    """

    need: Need
    shares: int = 1
    share: int = 0
    stepped: int = -1
    beside: int = 0
    added: bool = False
    divided: float = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: the use of arguments and of their parts, and the parts that are read at all, in order."""

    uses: dict[Key, Use]
    parts: tuple[Key, ...] = ()


def read(model: Module) -> Reading:
    """The uses that could be read; arguments that no layer is known to read are absent."""
    from initcheck.construct.inputs.source.reader import Reader

    reader = Reader(model, "")
    uses = reader.uses(0)
    return Reading(uses, tuple(reader.parts))


def first_layer(model: Module) -> Need | None:
    """The first layer with a wish in the order of registration."""
    return next((wish for name, module in model.named_modules() if (wish := need(module, name)) is not None), None)


def resolve(module: Module, path: str, argument: int | str, depth: int = 0) -> Use | None:
    """The first layer inside `module` that reads its argument, given by position or name."""
    from initcheck.construct.inputs.source.reader import Reader
    from initcheck.construct.inputs.source.syntax import forward_source, parameters

    position = argument if isinstance(argument, int) else 0
    wish = need(module, path, position, guess=False)
    if wish is not None:
        return Use(wish)
    if depth > DEPTH:
        return None
    if isinstance(module, (nn.Sequential, nn.ModuleList)):
        children = ((child, f"{path}.{name}".lstrip(".")) for name, child in module.named_children())
        return next((use for child, name in children if (use := resolve(child, name, argument, depth + 1)) is not None), None)
    wish = duck(module, path) if next(module.children(), None) is None else None
    own = None if wish is None else Use(wish)
    function = forward_source(module)
    if function is None:
        return own
    names = parameters(function)
    name = argument if isinstance(argument, str) else names[argument] if argument < len(names) else ""
    use = Reader(module, path).uses(depth + 1).get((name,))
    if use is not None or argument not in (0, name) or (names and name != names[0]):
        return use
    inner = ((child, f"{path}.{key}".lstrip(".")) for key, child in module.named_modules() if key)
    first = next((wish for child, key in inner if (wish := need(child, key)) is not None), None)
    return own if first is None else Use(first)


__all__ = ["DEPTH", "Key", "Origin", "Reading", "Use", "first_layer", "read", "resolve"]
