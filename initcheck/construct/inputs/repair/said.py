"""Failures in the user's own words: assertions on whole numbers, and messages with a number that was expected and one that came."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from initcheck.construct.inputs.repair.changes import Case, Edits, with_axis

_SAID = re.compile(r"[Ee]xpect\w*\D{0,40}?(\d+)\D{1,60}?(?:got|but|found|received|is|was)\D{0,40}?(\d+)")


def asserted(case: Case) -> Iterator[Edits]:
    """An assertion of the user compared two whole numbers."""
    if case.setback.asserted is None:
        return
    source, left, right = case.setback.asserted
    if any(word in source for word in ("dim()", "ndim", "len(")):
        return
    if "%" in source:
        for place, form in case.forms.items():
            if len(form.shape) == 4:
                yield {place: replace(form, shape=(*form.shape[:2], 64, 64))}
        return
    for got, want in ((left, right), (right, left)):
        if want < 1:
            continue
        for place, form in case.forms.items():
            axes = [axis for axis, size in enumerate(form.shape) if size == got and (axis or len(form.shape) == 1)]
            if len(axes) > 1:
                shape = tuple(want if axis in axes else size for axis, size in enumerate(form.shape))
                yield {place: replace(form, shape=shape)}
            yield from ({place: with_axis(form, axis, want)} for axis in axes)


def said(case: Case) -> Iterator[Edits]:
    """The user's own words: expected one number, got another."""
    if case.setback.inside or case.setback.asserted is not None:
        return
    match = _SAID.search(case.setback.text)
    if match is None:
        return
    want, got = int(match[1]), int(match[2])
    for place, form in case.forms.items():
        if want > 0:
            yield from ({place: with_axis(form, axis, want)} for axis, size in enumerate(form.shape) if size == got and axis)
