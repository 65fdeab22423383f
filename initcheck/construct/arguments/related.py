"""Sizes that follow from other arguments of the same call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from initcheck.construct.arguments.holes import Candidate, Hole, plain
from initcheck.construct.arguments.sources import function_of
from initcheck.construct.arguments.table import known, normal

if TYPE_CHECKING:
    from initcheck.construct.arguments.filling import Filling


def related(filling: Filling, hole: Hole, role: str, values: tuple[Any, ...]) -> Iterator[Candidate]:
    """Heads that divide the width, a width that its heads divide, patches that divide the image, an image that the source unrolls."""
    siblings = {name: value for name, value in hole.siblings.items() if type(value) is int and value > 0}
    if role == "heads":
        width = next((value for name, value in siblings.items() if known(name)[0] in ("width", "features")), 0)
        yield from (plain(value) for value in values if width and width % value == 0)
    elif role in ("width", "inner", "block_out", "block_in"):
        parts = [value for name, value in siblings.items() if known(name)[0] == "heads" or name in hole.uses.divisors]
        yield from (plain(-(-values[0] // part) * part) for part in parts)
    elif role == "patch":
        image = next((value for name, value in siblings.items() if known(name)[0] == "image"), 0)
        best = 16 if image >= 128 else 4
        yield from (plain(value) for value in (best, *values, 7, 5, 2, 1) if image and image % value == 0)
    elif role == "image":
        patch = next((value for name, value in siblings.items() if known(name)[0] == "patch"), 0)
        yield from (plain(patch * 8 if patch < 14 else patch * 14) for _ in range(1) if patch)
    elif role == "features" and _mentions(filling, hole.owner):
        yield plain(784)
    elif role == "length" and any(known(name)[0] == "rate" for name in siblings):
        yield plain(0.02)
    elif role == "length" and normal(hole.name) == "window_size" and any(known(name)[0] == "image" for name in hole.siblings):
        yield plain(4)
    elif role == "layers" and any(each.isdigit() for each in hole.uses.divisors):
        yield from (plain(value) for value in (16, 20, 22, 28, 40, 10, 29, 18, 34, 50))
    elif role == "in_channels" and _is_block(hole, siblings):
        yield plain(64)


def _is_block(hole: Hole, siblings: dict[str, Any]) -> bool:
    """Whether a layer inside a network is built rather than a network: it has a stride, or divides its channels."""
    from initcheck.construct.arguments.filling import parameters_of

    names = {normal(parameter.name) for parameter in parameters_of(hole.owner)}
    plainly = normal(hole.name) in ("channels", "num_channels", "n_channels", "nc") and not names & {"num_classes", "n_classes", "classes"}
    return (
        bool(hole.uses.divisors)
        or bool(names & {"stride", "reduction", "groups", "downsample"})
        or (plainly and not siblings and len(names) < 3)
    )


def _mentions(filling: Filling, owner: Any) -> bool:
    """Whether the class unrolls images of 28 by 28."""
    function = function_of(owner)
    scope = filling.world.sources.scope(function) if function is not None else None
    if scope is None or scope.owner is None:
        return False
    import ast

    text = ast.unparse(scope.owner)
    return "784" in text or "28 * 28" in text
