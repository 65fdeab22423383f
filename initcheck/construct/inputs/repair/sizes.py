"""Failures that speak of sizes: matrices, channels, states, joins, reshapes, tables, comparisons."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from initcheck.construct.inputs.repair.changes import Case, Edits, resized, with_axis
from initcheck.construct.inputs.repair.probe import Seen
from initcheck.construct.inputs.repair.said import asserted, said

_BROADCAST = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)")
_MATRICES = re.compile(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)")
_VECTOR = re.compile(r"size mismatch, got input \(\d+\), mat \(\d+x(\d+)\), vec \((\d+)\)")
_BATCHED = re.compile(r"batch2 tensor to be: \[(\d+), (\d+)\] but got: \[(\d+), (\d+)\]")
_CHANNELS = re.compile(r"expected input\[([\d, ]+)\] to have (\d+) channels, but got (\d+) channels")
_NORMALIZED = re.compile(r"normalized_shape=\[([\d, ]+)\]")
_STATISTICS = re.compile(r"running_mean should contain (\d+) elements not (\d+)")
_STEPS = re.compile(r"input\.size\(-1\) must be equal to input_size\. Expected (\d+), got (\d+)")
_CELL = re.compile(r"input has inconsistent input_size: got (\d+),? expected (\d+)")
_HIDDEN = re.compile(r"Expected hidden(?:\[\d\])? size \(([\d, ]+)\), got [\[(]([\d, ]+)[\])]")
_CELL_HIDDEN = re.compile(r"hidden\d? has inconsistent hidden_size: got (\d+),? expected (\d+)")
_JOINED = re.compile(r"except in dimension (\d+)\. Expected size (\d+) but got size (\d+) for tensor number (\d+)")
_STACKED = re.compile(r"stack expects each tensor to be equal size, but got \[([\d, ]*)\] at entry 0 and \[([\d, ]*)\] at entry (\d+)")
_SPLIT = re.compile(r"sum exactly to (\d+) \(input tensor's size at dimension (-?\d+)\), but got split_sizes=\[([\d, ]+)\]")
_RESHAPED = re.compile(r"shape '\[([-\d, ]+)\]' is invalid for input of size (\d+)")
_EINSUM = re.compile(r"subscript (\w) has size (\d+) for operand (\d+) which does not broadcast with previously seen size (\d+)")
_MASK = re.compile(r"attn_mask is torch\.Size\(\[([\d, ]+)\]\), but should be \(([\d, ]+)\)")
_LENGTHS = re.compile(r"Expected `len\(lengths\)` to be equal to batch_size, but got (\d+) \(batch_size=(\d+)\)")
_GROUPS = re.compile(r"weight of shape \[(\d+)\] and input of shape \[([\d, ]+)\]")
_PAIR = re.compile(r"input batch_size \((\d+)\) to match target batch_size \((\d+)\)")


def size_changes(case: Case) -> Iterator[Edits]:
    """What the message of the failure suggests, the most plausible first."""
    for rule in (_matrices, _features, _states, _joined, _broadcast, _reshaped, asserted, said):
        yield from rule(case)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _matrices(case: Case) -> Iterator[Edits]:
    text, seen = case.setback.text, case.setback.seen
    if match := _MATRICES.search(text):
        rows, width, height, columns = (int(number) for number in match.groups())
        yield from _product(case, seen, width, height)
        if rows == columns and width == height:
            return
    elif match := _VECTOR.search(text):
        yield from _product(case, seen, int(match[2]), int(match[1]))
    elif match := _BATCHED.search(text):
        first, second, got_first, got_second = (int(number) for number in match.groups())
        for axis, want, got in ((0, first, got_first), (1, second, got_second)):
            if want != got and len(seen) > 1:
                yield from resized(case, seen[1], axis, want)
                yield from resized(case, seen[0], 0 if axis == 0 else 2, got)


def _product(case: Case, seen: tuple[Seen, ...], width: int, height: int) -> Iterator[Edits]:
    """`width` features meet a matrix that takes `height`; either may come from an argument."""
    flattened = case.setback.map
    if len(flattened) in (3, 4) and seen and seen[0].trail.places:
        yield from (_maps if len(flattened) == 4 else _signals)(case, seen[0], flattened, height)
    for one in seen[:2]:
        axis = next((axis for axis in (len(one.shape) - 1, len(one.shape) - 2) if axis >= 0 and one.shape[axis] in (width, height)), None)
        if one.trail.places and axis is not None:
            yield from resized(case, one, axis, height if one.shape[axis] == width else width)


def _maps(case: Case, seen: Seen, flattened: tuple[int, ...], want: int) -> Iterator[Edits]:
    """Images of which `want` features would be left, when they need not be square."""
    _, channels, height, width = flattened
    if seen.shape[-1] != channels * height * width or want % channels or not height or not width:
        return
    cells = want // channels
    pairs = [(low, cells // low) for low in range(math.isqrt(cells), 0, -1) if cells % low == 0]
    for low, high in pairs[:2]:
        for place, form in case.of(seen):
            if len(form.shape) == 4 and max(low, high) <= 8 * max(form.shape[2:]):
                size = (round(form.shape[2] * low / height), round(form.shape[3] * high / width))
                if min(size) > 0:
                    yield {place: replace(form, shape=(*form.shape[:2], *size))}


def _signals(case: Case, seen: Seen, flattened: tuple[int, ...], want: int) -> Iterator[Edits]:
    """Signals of which `want` features would be left, when channels and length are flattened."""
    _, channels, length = flattened
    if seen.shape[-1] != channels * length or want % channels or not length:
        return
    for place, form in case.of(seen):
        size = round(form.shape[-1] * want / channels / length)
        if len(form.shape) == 3 and 0 < size <= 64 * form.shape[-1]:
            yield {place: with_axis(form, 2, size)}


def _features(case: Case) -> Iterator[Edits]:
    text, seen = case.setback.text, case.setback.seen
    first = next((one for one in seen if one.trail.places), None)
    if first is None:
        return
    if match := _CHANNELS.search(text):
        unbatched = len(_numbers(match[1])) > len(first.shape)
        yield from resized(case, first, 0 if unbatched else 1, int(match[2]))
    elif match := _STATISTICS.search(text):
        yield from resized(case, first, 1, int(match[2]))
    elif match := _GROUPS.search(text):
        yield from resized(case, first, 1, int(match[1]))
    elif match := _STEPS.search(text):
        yield from resized(case, first, -1, int(match[1]))
    elif match := _CELL.search(text):
        yield from resized(case, first, -1, int(match[2]))
    elif match := _NORMALIZED.search(text):
        for back, want in enumerate(reversed(_numbers(match[1])), 1):
            if len(first.shape) >= back and first.shape[-back] != want:
                yield from resized(case, first, -back, want)
    elif match := _SPLIT.search(text):
        yield from resized(case, first, int(match[2]), sum(_numbers(match[3])))


def _states(case: Case) -> Iterator[Edits]:
    """Hidden states, lengths and masks whose whole shape is told."""
    text = case.setback.text
    if match := _HIDDEN.search(text):
        want, got = _numbers(match[1]), _numbers(match[2])
        same = {place: replace(form, shape=want) for place, form in case.forms.items() if form.shape == got}
        if same:
            yield same
        if len(want) == len(got):
            for axis, (size, wrong) in enumerate(zip(got, want, strict=True)):
                if size != wrong:
                    yield from _everywhere(case, size, wrong, axis)
                    yield from _everywhere(case, wrong, size, axis)
    elif match := _CELL_HIDDEN.search(text):
        yield from _everywhere(case, int(match[1]), int(match[2]), 1)
    elif match := _MASK.search(text):
        shapes = (_numbers(match[2])[-2:], _numbers(match[2]))
        for place, form in case.forms.items():
            if "mask" in case.name(place) or case.setback.inside:
                yield from ({place: replace(form, shape=shape)} for shape in shapes if shape != form.shape and form.dtype != "int64")
    elif match := _LENGTHS.search(text):
        rows = int(match[2])
        yield {place: with_axis(form, 0, rows) for place, form in case.forms.items() if form.shape == (int(match[1]),)}
    elif match := _PAIR.search(text):
        yield from _targets(case, int(match[1]), int(match[2]))


def _targets(case: Case, rows: int, got: int) -> Iterator[Edits]:
    """Labels for each of `rows` predictions."""
    seen = case.setback.seen
    if len(seen) < 2:
        return
    for place, form in case.of(seen[1]):
        tokens = next((other.shape for key, other in case.forms.items() if key != place and math.prod(other.shape) == rows), None)
        if tokens is not None:
            yield {place: replace(form, shape=tokens)}
        yield {place: replace(form, shape=(rows,))}
    yield from resized(case, seen[0], 0, got)


def _everywhere(case: Case, size: int, want: int, axis: int) -> Iterator[Edits]:
    for place, form in case.forms.items():
        if form.dtype == "float" and axis < len(form.shape) and form.shape[axis] == size:
            yield {place: with_axis(form, axis, want)}


def _joined(case: Case) -> Iterator[Edits]:
    text, seen = case.setback.text, case.setback.seen
    if (match := _JOINED.search(text)) and len(seen) > int(match[4]):
        along, want, got, number = (int(group) for group in match.groups())
        for one, size, wrong in ((seen[number], want, got), (seen[0], got, want)):
            for axis in (axis for axis, edge in enumerate(one.shape) if edge == wrong and axis != along):
                yield from resized(case, one, axis, size)
    elif (match := _STACKED.search(text)) and len(seen) > int(match[3]):
        first, second = _numbers(match[1]), _numbers(match[2])
        for axis, (want, got) in enumerate(zip(first, second, strict=False)):
            if want != got:
                yield from resized(case, seen[int(match[3])], axis, want)
                yield from resized(case, seen[0], axis, got)


def _broadcast(case: Case) -> Iterator[Edits]:
    text, seen = case.setback.text, case.setback.seen
    if (match := _EINSUM.search(text)) and len(seen) > int(match[3]):
        size, operand, before = int(match[2]), int(match[3]), int(match[4])
        yield from _along(case, seen[operand], size, before)
        for index, one in enumerate(seen):
            if index != operand:
                yield from _along(case, one, before, size)
        return
    match = _BROADCAST.search(text)
    if match is None:
        return
    left, right, axis = int(match[1]), int(match[2]), int(match[3])
    rank = max((len(one.shape) for one in seen), default=0)
    pairs = [(one, size, left + right - size) for one in seen for size in (left, right) if _has(one, axis, rank, size)]
    # what nothing else fixes is changed before what a layer has made
    pairs.sort(key=lambda pair: (not pair[0].trail.direct, -seen.index(pair[0])))
    for one, size, want in pairs:
        yield from resized(case, one, axis - rank + len(one.shape), want)
        if size > 1:
            yield from _without(case, one, whole=not one.trail.direct)


def _without(case: Case, seen: Seen, *, whole: bool) -> Iterator[Edits]:
    """One value for each sample, where more do not fit; only integers when a layer has read them already."""
    for place, form in case.of(seen):
        if len(form.shape) > 1 and (form.dtype == "int64" or not whole):
            yield {place: replace(form, shape=form.shape[:1], columns=())}


def _has(seen: Seen, axis: int, rank: int, size: int) -> bool:
    own = axis - rank + len(seen.shape)
    return own >= 0 and seen.shape[own] == size and bool(seen.trail.places)


def _along(case: Case, seen: Seen, got: int, want: int) -> Iterator[Edits]:
    for axis in range(len(seen.shape) - 1, -1, -1):
        if seen.shape[axis] == got:
            yield from resized(case, seen, axis, want)


def _reshaped(case: Case) -> Iterator[Edits]:
    match = _RESHAPED.search(case.setback.text)
    seen = next((one for one in case.setback.seen if one.trail.places), None)
    if match is None or seen is None:
        return
    target = [int(number) for number in re.findall(r"-?\d+", match[1])]
    rest = tuple(size for size in target[1:] if size > 0)
    rows = target[0] if target[0] > 0 else case.batch
    if seen.trail.direct:
        for place, form in case.of(seen):
            yield from ({place: replace(form, shape=shape, columns=())} for shape in _filling(rest, rows))
    each = math.prod(seen.shape) / max(rows, 1)
    flattened = seen.shape if len(seen.shape) == 4 else case.setback.map
    if not seen.trail.direct and len(flattened) == 4 and rest:
        yield from _maps(case, Seen((rows, math.prod(flattened[1:])), seen.dtype, seen.trail), flattened, math.prod(rest))
    if not seen.trail.direct and rest and each > 0:
        yield from _scaled(case, seen, math.prod(rest) / each)
    fixed = math.prod(size for size in target if size > 0)
    if each > 0 and fixed:
        for axis in range(len(seen.shape) - 1, -1, -1):
            others = math.prod(size for index, size in enumerate(seen.shape) if index != axis)
            if others and fixed % others == 0 and fixed // others != seen.shape[axis]:
                yield from resized(case, seen, axis, fixed // others)
            elif others and all(size > 0 for size in target) is False and seen.shape[axis] % fixed:
                yield from resized(case, seen, axis, fixed)


def _scaled(case: Case, seen: Seen, factor: float) -> Iterator[Edits]:
    """Images that are longer or wider by a factor."""
    for place, form in case.of(seen):
        for axis in (2, 3) if len(form.shape) == 4 else ():
            size = form.shape[axis] * factor
            if size == int(size) and size > 0:
                yield {place: with_axis(form, axis, int(size))}


def _filling(rest: tuple[int, ...], rows: int) -> Iterator[tuple[int, ...]]:
    """Shapes of so many samples that can be cut as `rest` says."""
    if len(rest) == 2 and rest[0] == rest[1]:
        yield (rows, 1, *rest)
    if rest:
        yield (rows, *rest)
    size = math.prod(rest)
    for channels in (1, 3):
        edge = math.isqrt(size // channels)
        if edge > 3 and channels * edge * edge == size:
            yield (rows, channels, edge, edge)
    if len(rest) > 1:
        yield (rows, size)
