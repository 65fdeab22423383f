"""Counts which elements of a parameter a set of partial writes reached."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from initcheck.construct.recording.history import Region

LARGEST_MASK = 1 << 24
"""Beyond this many elements, regions with gaps are not followed element by element but taken as not written."""


def covered(whole: Region, parts: Sequence[Region]) -> int:
    """The number of elements of `whole` that lie in at least one of the parts."""
    near = [part for part in parts if part.itemsize == whole.itemsize and part.overlaps(whole)]
    if any(part.covers(whole) for part in near):
        return whole.numel
    if whole.dense and all(part.dense for part in near):
        return _by_bounds(whole, near)
    low = min(part.offset for part in (whole, *near))
    high = max(part.bounds[1] // part.itemsize for part in (whole, *near))
    if high - low > LARGEST_MASK:
        return _by_bounds(whole, [part for part in near if part.dense]) if whole.dense else 0
    mask = torch.zeros(high - low, dtype=torch.bool, device="cpu")
    for part in near:
        mask.as_strided(part.shape, part.stride, part.offset - low).fill_(True)
    return int(mask.as_strided(whole.shape, whole.stride, whole.offset - low).sum())


def _by_bounds(whole: Region, parts: Sequence[Region]) -> int:
    low, high = whole.bounds
    reached = low
    total = 0
    for start, end in sorted(part.bounds for part in parts):
        begin, stop = max(start, reached), min(end, high)
        total += max(stop - begin, 0)
        reached = max(reached, stop)
    return total // whole.itemsize
