"""Failures that speak of kinds: number of axes, types, ranges of integers, plain values in place of tensors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import torch

from initcheck.construct.inputs.repair.changes import Case, Edits, reranked, resized, retyped, with_axis
from initcheck.construct.inputs.repair.probe import Place, Seen
from initcheck.construct.inputs.samples import Form, dtype_name

_RANKS = tuple(
    re.compile(text)
    for text in (
        r"[Ee]xpected (\d)-?D",
        r"[Ee]xpected \d-?D \(?\w*\)? ?or (\d)-?D",
        r"input to be (\d)-?D",
        r"[Ee]xpected tensor to have (\d)",
        r"must be a (\d)-?D",
        r"is not equal to len\(dims\) = (\d)",
        r"number of subscripts in the equation \((\d)\)",
        r"input should be (\d)-?D",
        r"also be (\d)-?D",
        r"supposed to be a? ?(\d)-?D",
    )
)
_UNPACK = re.compile(r"(?:not enough|too many) values to unpack \(expected (?:at least )?(\d+)(?:, got (\d+))?\)")
_RANGE = re.compile(r"Dimension out of range \(expected to be in range of \[-?\d+, (\d+)\], but got (-?\d+)\)")
_INDICES = re.compile(r"too many indices for tensor of dimension (\d+)")
_RANKS_DIFFER = re.compile(r"same number of dimensions: got (\d+) and (\d+)")
_BOUNDS = re.compile(r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)")
_LONG = re.compile(
    r"(LongTensor|must be long|[Ee]xpected dtype int|scalar types?: Long|expected scalar type Long|[Ii]ndex is supposed|must be of type long"
    r"|indices must be|index tensor of type|Expected tensor .* Long|integer tensors|expects? index|Expected index|dtype int64 for index)"
)
_FLOAT = re.compile(
    r"(same dtype|expected scalar type|should be the same|could not infer output dtype|must be either a floating|for '(Long|Bool|Int)'"
    r"|does not match weight dtype|can't be cast to|floating point dtype|Only Tensors of floating|only supports floating)"
)
_COMPLEX = re.compile(r"(imag is not implemented|non-complex|view_as_real|complex)")
_BOOL = re.compile(r"(boolean masks|bitwise_|a boolean tensor|logical_|only integer or boolean|type bool)")
_SCALAR = re.compile(
    r"(cannot be interpreted as an integer|slice indices must be|to an index|only one element tensors|cannot be converted to Scalar"
    r"|[Bb]oolean value of Tensor|must be (?:real number|int|float|str|a number)|not Tensor|unhashable type)"
)
_SINGLE = "Expected more than 1 value per channel"
_SMALL = re.compile(
    r"(Kernel size can't be greater|Output size is too small|Padding size should be less|Calculated output size|non-zero size)"
)


def kind_changes(case: Case) -> Iterator[Edits]:
    """What the message of the failure suggests, the most plausible first."""
    for rule in (_masks, _lengths, _ranges, _types, _scalars, _ranks, _unpacked, _small):
        yield from rule(case)


def _mine(case: Case) -> list[tuple[Seen, Place, Form]]:
    """The arguments behind the failing call, those handed in directly first."""
    pairs = [(seen, place, form) for seen in case.setback.seen for place, form in case.of(seen)]
    return sorted(pairs, key=lambda pair: not pair[0].trail.direct)


def _masks(case: Case) -> Iterator[Edits]:
    """A mask that does not fit may mostly be left away."""
    masks = [place for place in case.forms if "mask" in case.name(place)]
    if masks and ("mask" in case.setback.text or any(place in seen.trail.places for seen in case.setback.seen for place in masks)):
        yield from _typed_masks(case, masks)
        yield dict.fromkeys(masks)
        yield {masks[-1]: None}


def _typed_masks(case: Case, masks: list[Place]) -> Iterator[Edits]:
    if _BOOL.search(case.setback.text):
        yield {place: retyped(case.forms[place], "bool") for place in masks}


def _lengths(case: Case) -> Iterator[Edits]:
    named = [place for place in case.forms if "len" in case.name(place)]
    if "lengths" not in case.setback.text and not (named and "exceeds dimension size" in case.setback.text):
        return
    last = [place for place, form in case.forms.items() if form.dtype == "int64"][-1:]
    first = next(iter(case.forms.values()), Form(()))
    for place in named or last:
        rows, time = (first.shape[:2] if len(first.shape) > 1 else (case.batch, 1))[:2]
        match = re.search(r"batch_size=(\d+)", case.setback.text)
        if match and int(match[1]) == time:
            rows, time = time, rows
        own = case.forms[place].shape
        if len(own) == 1 and own[0] in (rows, time) and "exceeds" in case.setback.text:
            yield {place: Form(own, "int64", fill=float(time if own[0] == rows else rows))}
        yield {place: Form((rows,), "int64", fill=float(time))}
        yield {place: Form((time,), "int64", fill=float(rows))}


def _ranges(case: Case) -> Iterator[Edits]:
    """Integers above the end of a table, or positions beyond it."""
    text, seen = case.setback.text, case.setback.seen
    match = _BOUNDS.search(text)
    index: Seen | None
    if case.setback.op == "embedding" and "out of range" in text and len(seen) > 1:
        index, size = seen[0], seen[1].shape[0]
    elif match is not None:
        size = int(match[3])
        index = next((one for one in reversed(seen) if one.trail.places and one.dtype is torch.int64), seen[0] if seen else None)
        if index is not None and not any(one.trail.places and one.dtype is torch.int64 for one in seen):
            yield from resized(case, index, int(match[2]), abs(int(match[1])) + (int(match[1]) >= 0))
            return
    elif "out of bounds" in text and len(seen) > 1:
        index, size = seen[-1], seen[0].shape[1] if len(seen[0].shape) > 1 else seen[0].shape[0]
    else:
        return
    if index is None:
        return
    yield from _lowered(case, index, size)
    if not index.trail.places and index.shape:
        for place, form in case.forms.items():
            axes = [axis for axis, edge in enumerate(form.shape) if edge == index.shape[-1] and (axis or len(form.shape) == 1)]
            yield from ({place: with_axis(form, axis, size)} for axis in axes)
        same = {
            place: replace(form, shape=tuple(size if edge == index.shape[-1] else edge for edge in form.shape), columns=())
            for place, form in case.forms.items()
        }
        yield same


def _lowered(case: Case, index: Seen, size: int) -> Iterator[Edits]:
    for place, form in case.of(index):
        column = index.trail.column
        if column >= 0 and len(form.shape) == 2 and column < form.shape[1]:
            bounds = list(form.columns or (form.below,) * form.shape[1])
            bounds[column] = min(bounds[column], size)
            yield {place: replace(form, columns=tuple(bounds))}
        if form.dtype == "int64" and (form.below > size or form.fill):
            yield {place: replace(form, below=size, columns=(), fill=None)}
        elif form.dtype == "int64" and form.below > 1 and not index.trail.direct:
            # something was added to it: offsets into one table
            yield {place: replace(form, below=form.below // 2, columns=())}


def _types(case: Case) -> Iterator[Edits]:
    text, seen = case.setback.text, case.setback.seen
    if _COMPLEX.search(text) and "dtype" not in text.lower().replace("dtypes", ""):
        yield from ({place: retyped(form, "complex64")} for _, place, form in _mine(case) if form.dtype == "float")
    if _BOOL.search(text):
        yield from ({place: retyped(form, "bool")} for _, place, form in _mine(case) if form.dtype != "bool")
    if _LONG.search(text) or (case.setback.op in ("embedding", "one_hot") and "type" in text):
        below = _classes(case)
        order = sorted(
            _mine(case), key=lambda found: bool(seen) and found[0] is seen[0] and len(seen) > 1 and case.setback.op != "embedding"
        )
        yield from ({place: retyped(form, "int64", below)} for _, place, form in order if form.dtype != "int64")
    if _FLOAT.search(text):
        fixed = [one for one in seen if not one.trail.places and (one.dtype.is_floating_point or one.dtype.is_complex)]
        wanted = dtype_name(fixed[0].dtype) if fixed else "float"
        wanted = "float" if wanted == "float32" else wanted
        for _, place, form in _mine(case):
            if form.dtype != wanted:
                yield {place: retyped(form, wanted)}


def _classes(case: Case) -> int:
    """A bound for integers that stand where floats were: a table's rows, the classes of a one-hot code, the axis they pick from."""
    setback = case.setback
    if setback.op == "embedding" and len(setback.seen) > 1:
        return setback.seen[1].shape[0]
    if setback.op == "one_hot":
        return next((value for value in setback.plain if isinstance(value, int) and value > 0), 2)
    first = setback.seen[0].shape if setback.seen else ()
    axis = next((value for value in setback.plain if isinstance(value, int) and not isinstance(value, bool)), 0)
    return first[axis] if -len(first) <= axis < len(first) else 2


def _scalars(case: Case) -> Iterator[Edits]:
    """A number where a tensor was given."""
    if not _SCALAR.search(case.setback.text) and case.setback.op not in ("__index__", "__int__", "__float__", "__bool__"):
        return
    for seen, place, _ in _mine(case):
        if seen.trail.direct and len(place) == 1:
            yield {place: 4}
            yield {place: 0.5}
            yield {place: False}


def _ranks(case: Case) -> Iterator[Edits]:
    text, seen = case.setback.text, case.setback.seen
    with_places = [one for one in seen if one.trail.places]
    if match := _RANKS_DIFFER.search(text):
        for each in sorted(with_places, key=lambda each: not each.trail.direct):
            change = int(match[1]) + int(match[2]) - 2 * len(each.shape)
            if change and len(each.shape) in (int(match[1]), int(match[2])):
                yield from _reranked(case, each, change)
        return
    change = 0
    one = with_places[0] if with_places else None
    if _INDICES.search(text):
        yield from _reranked(case, one, 1)
        yield from _reranked(case, one, 2)
    elif match := _RANGE.search(text):
        change = int(match[2]) - int(match[1]) if int(match[2]) >= 0 else 1
    elif case.setback.asserted is not None and any(word in case.setback.asserted[0] for word in ("dim()", "ndim", "len(")):
        _, left, right = case.setback.asserted
        for place, form in case.forms.items():
            if len(form.shape) == left:
                yield from ({place: other} for other in reranked(form, right - left))
        return
    elif one is not None:
        for pattern in _RANKS:
            for match in pattern.finditer(text):
                change = int(match[1]) - len(one.shape)
                if change:
                    yield from _reranked(case, one, change)
        return
    if change:
        yield from _reranked(case, one, change)


def _reranked(case: Case, seen: Seen | None, change: int) -> Iterator[Edits]:
    if seen is not None:
        for place, form in case.of(seen):
            yield from ({place: one} for one in reranked(form, change))


def _unpacked(case: Case) -> Iterator[Edits]:
    """`b, t, c = x.shape` wants so many axes; `x, y = pair` so many tensors."""
    match = _UNPACK.search(case.setback.text)
    one = next((one for one in case.setback.seen if one.trail.places), None)
    if match is None or one is None:
        return
    want = int(match[1])
    if case.setback.op in ("unbind", "__iter__", "chunk", "split"):
        for place, form in case.of(one):
            if one.trail.direct and want <= 4:
                yield {place: (form,) * want}
                yield {place: with_axis(form, 0, want)}
        return
    if want != len(one.shape):
        yield from _reranked(case, one, want - len(one.shape))


def too_small(text: str) -> bool:
    """Whether a failure says that a signal is shorter than a kernel, or has a single value for each channel."""
    return bool(_SMALL.search(text)) or _SINGLE in text


def _small(case: Case) -> Iterator[Edits]:
    """Signals too short for a kernel, or a single value for each channel."""
    if not too_small(case.setback.text):
        return
    for _, place, form in _mine(case):
        rank = len(form.shape)
        if rank == 4 and len(place) == 1:
            continue  # images that are an argument are prepared in all sizes
        if rank >= 3:
            yield {place: replace(form, shape=(*form.shape[:2], *(2 * size for size in form.shape[2:])))}
            yield {place: with_axis(form, 1, 2 * form.shape[1])}
        elif rank == 2 and form.dtype == "int64":
            yield {place: with_axis(form, 1, 2 * form.shape[1])}
