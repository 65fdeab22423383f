"""All changes that a failed run suggests, in the order in which they are tried."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from initcheck.construct.inputs.repair.changes import Case, Edits, forms_of, reranked
from initcheck.construct.inputs.repair.kinds import kind_changes, too_small
from initcheck.construct.inputs.repair.probe import Place, Setback
from initcheck.construct.inputs.repair.sizes import size_changes
from initcheck.construct.inputs.samples import Form, Guess
from initcheck.construct.inputs.shapes import LARGEST, TIME

_EACH = 6
"""Changes after one failure, at most."""
_COLOURS = 4
_OBLONG = 12
"""Pictures are at most so much longer than wide."""


def proposals(setback: Setback, guess: Guess) -> list[Edits]:
    """At most six changes of the guess; empty when nothing is suggested."""
    case = Case(setback, forms_of(guess), guess.summary.batch, guess.arguments)
    told = (
        edits
        for edits in chain(_missing_key(case), _longer(case), _channels_last(case), size_changes(case), kind_changes(case))
        if edits and _sane(case, edits)
    )
    found = list(islice(_distinct(told), _EACH))
    if "NoneType" in setback.text or "invalid combination of arguments - got (bool" in setback.text:
        return [*found, *_filled(case, guess)]
    if found or too_small(setback.text):
        return found
    return list(islice(_distinct(edits for edits in _other_ranks(case) if _sane(case, edits)), _EACH // 2))


def _missing_key(case: Case) -> Iterator[Edits]:
    """A key that the model looks up in a dictionary of ours: small numbers, one for each sample."""
    error = case.setback.error
    if isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], str):
        for place in dict.fromkeys(place[:-1] for place in case.forms if len(place) > 1 and isinstance(place[-1], str)):
            yield {(*place, error.args[0]): Form((case.batch,), "int64", 2)}


def _longer(case: Case) -> Iterator[Edits]:
    """Sequences of one position, where a loop over the others then had nothing to collect."""
    if "non-empty" in case.setback.text:
        for place, form in case.forms.items():
            if len(form.shape) > 1 and form.shape[1] == 1:
                yield {place: replace(form, shape=(form.shape[0], TIME, *form.shape[2:]), columns=())}


def _channels_last(case: Case) -> Iterator[Edits]:
    """Images whose height was taken for their channels come with the channels behind."""
    numbers = set(map(int, re.findall(r"\d+", case.setback.text)))
    for place, form in case.forms.items():
        if len(form.shape) == 4 and form.shape[1] < form.shape[2] == form.shape[3] and {form.shape[1], form.shape[2]} <= numbers:
            batch, channels, height, width = form.shape
            yield {place: replace(form, shape=(batch, height, width, channels))}


def _filled(case: Case, guess: Guess) -> list[Edits]:
    """Masks that may not be left away after all: one value for each position, or for each sample."""
    absent: list[Place] = [(index,) for index, value in enumerate(guess.forms or guess.args) if value is None]
    absent += [(name,) for name, value in (guess.named or guess.kwargs).items() if value is None]
    first = next(iter(case.forms.values()), Form(()))
    if not absent:
        return []
    shapes = [first.shape[:2]] if 1 < len(first.shape) < 4 else []
    wanted = [Form(shape, "bool", fill=1.0) for shape in shapes] + [Form(first.shape[:1], fill=1.0)]
    return [dict.fromkeys(absent, form) for form in wanted]


def _other_ranks(case: Case) -> Iterator[Edits]:
    """When nothing is understood: one axis more or less for what was touched last."""
    for seen in case.setback.seen:
        for place, form in case.of(seen):
            if len(form.shape) < 4:
                yield from ({place: one} for one in reranked(form, 1)[:1])
            if 1 < len(form.shape) < 4:
                yield from ({place: one} for one in reranked(form, -1)[:1])


def _distinct(edits: Iterator[Edits]) -> Iterator[Edits]:
    known: list[Edits] = []
    for one in edits:
        if one not in known:
            known.append(one)
            yield one


def _sane(case: Case, edits: Edits) -> bool:
    """Whether something changes, and no tensor is empty or huge."""
    for place, tree in edits.items():
        if isinstance(tree, Form):
            size = math.prod(tree.shape)
            least = 2 * math.prod(tree.shape[1:]) if tree.shape[:1] == (case.batch,) else size  # the batch can shrink
            before = case.forms.get(place)
            if len(tree.shape) == 4 and tree.shape[1] <= _COLOURS and max(tree.shape[2:]) > _OBLONG * max(min(tree.shape[2:]), 1):
                return False
            if before is not None and len(before.shape) == 4 and 1 < before.shape[1] <= _COLOURS and len(tree.shape) == 3:
                return False  # one picture without its batch: its channels would pass for samples
            most = max(LARGEST, math.prod(before.shape) if before is not None else 0)
            if size == 0 or least > most or (tree.shape and tree.shape[0] > max(4 * case.batch, 1024)):
                return False
        if tree != case.forms.get(place):
            continue
        if len(edits) == 1:
            return False
    return True
