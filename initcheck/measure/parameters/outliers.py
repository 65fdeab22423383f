"""Elements that lie far away from all others: how many, and what the others are like without them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

FAR = 8.0
"""Standard deviations beyond which the farthest element is looked at: no light-tailed sample of any size reaches them."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Outliers:
    """Fields as in `WeightStats`."""

    outliers: int = 0
    inner_std: float = 0.0
    inner_largest: float = 0.0


def outliers(flat: torch.Tensor, mean: float, std: float, reach: float) -> Outliers:
    """A second pass, made only where the farthest element is more than eight standard deviations away.

    Args:
        flat: one axis, finite elements.
        mean: of the elements.
        std: of the elements.
        reach: largest |w - mean|.
    """
    if not (std > 0 and math.isfinite(reach) and reach > FAR * std):
        return Outliers()
    far, count, first, second, largest = 0, 0, 0.0, 0.0, 0.0
    for piece in _chunks(flat):
        shifted = piece - mean
        inner = shifted[shifted.abs() <= reach / 2.0]
        far += shifted.numel() - inner.numel()
        count += inner.numel()
        first += float(inner.sum())
        second += float(inner.square().sum())
        largest = max(largest, float(inner.abs().max()) if inner.numel() else 0.0)
    centre = first / max(count, 1)
    return Outliers(far, math.sqrt(max(second / count - centre * centre, 0.0)) if count else 0.0, largest)


def _chunks(flat: torch.Tensor) -> Iterator[torch.Tensor]:
    for start in range(0, flat.numel(), CHUNK):
        yield flat[start : start + CHUNK].to(torch.float64)
