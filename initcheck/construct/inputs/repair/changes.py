"""Changing some tensors of a guess: sizes of axes, their number, types, ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from initcheck.construct.inputs.repair.probe import Place, Seen, Setback
from initcheck.construct.inputs.samples import Drawer, Form, Guess, Tree, describe, dtype_name
from initcheck.construct.inputs.shapes import affordable

Edits: TypeAlias = dict[Place, Tree]
"""What becomes of some places of the arguments."""

_STEPS = 16
_FRAMES = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A failed guess: how it failed, the forms of its tensors by place, the number of samples, the names of the arguments."""

    setback: Setback
    forms: Mapping[Place, Form]
    batch: int
    names: tuple[str, ...] = ()

    def name(self, place: Place) -> str:
        """The name of the argument, or of the part of it, at a place."""
        if isinstance(place[-1], str):
            return place[-1]
        first = place[0]
        return first if isinstance(first, str) else self.names[first] if first < len(self.names) else ""

    def of(self, seen: Seen) -> list[tuple[Place, Form]]:
        """The arguments that went into a tensor, the last one first."""
        order = list(self.forms)
        places = sorted((place for place in seen.trail.places if place in self.forms), key=order.index, reverse=True)
        return [(place, self.forms[place]) for place in places]


def forms_of(guess: Guess) -> dict[Place, Form]:
    """The forms of all tensors among the arguments."""
    found: dict[Place, Form] = {}
    for index, value in enumerate(guess.forms or guess.args):
        _collect(value, (index,), found)
    for name, value in (guess.named or guess.kwargs).items():
        _collect(value, (name,), found)
    return found


def undrawn(guess: Guess) -> Guess:
    """The same without its tensors, which would fill the memory where many guesses are kept."""
    return replace(guess, args=(), kwargs={}) if guess.forms or guess.named else guess


def changed(guess: Guess, edits: Edits, drawer: Drawer) -> Guess:
    """The same guess with some places changed."""
    forms = tuple(_edited(value, (key,), edits) for key, value in enumerate(guess.forms or guess.args))
    named = {key: _edited(value, (key,), edits) for key, value in (guess.named or guess.kwargs).items()}
    names = list(named)
    fewer = affordable((*forms, *named.values()), guess.summary.batch)
    forms, named = fewer[: len(forms)], dict(zip(names, fewer[len(forms) :], strict=True))
    args, kwargs = drawer.draw(forms), drawer.draw(named)
    batch = guess.summary.batch
    head = fewer[0] if fewer else None
    if isinstance(head, Form) and head.shape and batch not in head.shape[:2]:
        batch = head.shape[0]
    return replace(guess, args=args, kwargs=kwargs, summary=describe(args, kwargs, guess.summary.origin, batch), forms=forms, named=named)


def _edited(tree: Tree, place: Place, edits: Edits) -> Tree:
    if place in edits:
        return edits[place]
    if not any(other[: len(place)] == place for other in edits):
        return tree
    if isinstance(tree, dict):
        new = {other[-1]: form for other, form in edits.items() if other[:-1] == place and other[-1] not in tree}
        return type(tree)({**{key: _edited(value, (*place, key), edits) for key, value in tree.items()}, **new})
    if isinstance(tree, (list, tuple)):
        return type(tree)(_edited(value, (*place, index), edits) for index, value in enumerate(tree))
    return tree


def _collect(tree: Tree, place: Place, found: dict[Place, Form]) -> None:
    if isinstance(tree, Form):
        found[place] = tree
    elif isinstance(tree, Tensor):
        found[place] = form_of(tree)
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            _collect(value, (*place, key), found)
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            _collect(value, (*place, index), found)


def form_of(tensor: Tensor) -> Form:
    """The form of a tensor that was given as such."""
    name = dtype_name(tensor.dtype)
    whole = not tensor.dtype.is_floating_point and not tensor.dtype.is_complex and tensor.dtype is not torch.bool
    below = int(tensor.max()) + 1 if whole and tensor.numel() else 2
    return Form(tuple(tensor.shape), "float" if tensor.dtype is torch.float32 else name, max(below, 1))


def with_axis(form: Form, axis: int, size: int) -> Form:
    """Another size of one axis."""
    shape = list(form.shape)
    shape[axis] = size
    columns = form.columns if axis % max(len(shape), 1) != len(shape) - 1 else ()
    return replace(form, shape=tuple(shape), columns=columns)


def resized(case: Case, seen: Seen, axis: int, want: int) -> Iterator[Edits]:
    """The changes of one argument after which a tensor may have `want` along an axis, the plainest first."""
    if not seen.shape:
        return
    axis %= len(seen.shape)
    got = seen.shape[axis]
    found = case.of(seen)
    for place, form in found:
        for own in _axes(form, axis, got, len(seen.shape)):
            yield {place: with_axis(form, own, want)}
    for place, form in found:
        rank = len(form.shape)
        if form.dtype != "int64" and 0 < rank <= 4 and form.shape[-1] != got and form.shape[-1] + want - got > 0:
            yield {place: with_axis(form, -1, form.shape[-1] + want - got)}
    if (want - got) % 2 == 0:
        for place, form in found:
            if form.dtype != "int64" and 1 < len(form.shape) <= 3 and form.shape[-1] + (want - got) // 2 > 0:
                yield {place: with_axis(form, -1, form.shape[-1] + (want - got) // 2)}  # it was joined with itself
    for place, form in found:
        scale = math.sqrt(want / got) if got else 0
        if len(form.shape) in (4, 5) and form.shape[-1] == form.shape[-2] and form.shape[-1] * scale == int(form.shape[-1] * scale) > 0:
            edge = int(form.shape[-1] * scale)
            yield {place: replace(form, shape=(*form.shape[:-2], edge, edge))}
    for place, form in found:
        for own in range(len(form.shape) - 1, -1, -1):
            size = form.shape[own] * want
            if got and size % got == 0 and size // got != form.shape[own] and form.shape[own] != got:
                yield {place: with_axis(form, own, size // got)}
    for place, form in found:
        # a width that is unknown may be that of another argument, or of one value
        others = [other.shape for key, other in case.forms.items() if key != place and other.dtype == form.dtype == "float"]
        yield from ({place: replace(form, shape=shape)} for shape in others if shape != form.shape)
    if got == case.batch and want > 0:
        # an axis that follows from the number of samples: all of them together
        together = {place: with_axis(form, 0, want) for place, form in case.forms.items() if form.shape[:1] == (got,)}
        if len(together) > 1:
            yield together


def _axes(form: Form, axis: int, got: int, rank: int) -> list[int]:
    """The axes of a form that may be the axis of the tensor it became: the same one first, that of the samples last."""
    equal = [own for own, size in enumerate(form.shape) if size == got]
    same = axis if len(form.shape) == rank else axis - rank + len(form.shape)
    return sorted(equal, key=lambda own: (own == 0 and axis != 0, own != same, -own))


def reranked(form: Form, change: int) -> list[Form]:
    """Forms with more axes or fewer: a time axis after that of the samples, or without the last or the second one."""
    shape = form.shape
    if change > 0:
        step = _FRAMES if len(shape) >= 4 else _STEPS
        added = [shape[:1] + (step,) * change + shape[1:], shape + (step,) * change]
        if len(shape) == 1 or form.dtype == "int64":
            added.reverse()
        return [replace(form, shape=one, columns=()) for one in dict.fromkeys(added)]
    keep = len(shape) + change
    if keep < 0:
        return []
    dropped = [shape[:keep]] if form.dtype == "int64" else [shape[:1] + shape[len(shape) - keep + 1 :], shape[:keep]]
    if not keep:
        dropped = [()]
    return [replace(form, shape=one, columns=()) for one in dict.fromkeys(dropped)]


def retyped(form: Form, dtype: str, below: int = 2) -> Form:
    """The same shape of another type."""
    return replace(form, dtype=dtype, below=max(below, 1), fill=1.0 if dtype == "bool" else None, columns=())
