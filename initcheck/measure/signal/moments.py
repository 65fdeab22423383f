"""Second moments of tensors at one read, safe against overflow, underflow and every dtype and memory layout."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_TINY = 1e-30
"""Below this mean, squares in single precision may have underflowed."""

_RUN = 32
"""Elements read at each place of a sample: two cache lines."""


def real(tensor: Tensor) -> Tensor | None:
    """The values as float32 or float64, complex ones as pairs; `None` for what holds no dense floats."""
    if tensor.layout is not torch.strided or tensor.device.type == "meta" or tensor.is_nested or tensor.is_quantized:
        return None
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    if not tensor.is_floating_point():
        return None
    tensor = tensor.detach()
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def flat(tensor: Tensor) -> Tensor:
    """All elements along one axis, in memory order where that saves a copy (channels last, transposed matrices)."""
    if tensor.is_contiguous():
        return tensor.view(-1)
    order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    ordered = tensor.permute(order)
    return ordered.view(-1) if ordered.is_contiguous() else tensor.reshape(-1)


def sum_of_squares(tensor: Tensor) -> float:
    """The sum of squares; infinite or NaN only when an element is, or when float64 overflows."""
    values = flat(tensor)
    total = float(torch.dot(values, values))
    if math.isfinite(total) and total > _TINY * max(values.numel(), 1):
        return total
    return _careful(values)


def sample(tensor: Tensor, limit: int) -> Tensor:
    """At most about `limit` elements, flattened: short runs, since a cache line costs as much as one element of it.

    The runs lie an odd distance apart, so that they do not fall on the same columns of every row.
    """
    values = flat(tensor)
    if values.numel() <= limit:
        return values
    places = max(limit // _RUN, 1)
    distance = (values.numel() // places - 1) | 1
    if distance <= _RUN:
        return values[:limit]
    return values[: places * distance].view(places, distance)[:, :_RUN].reshape(-1)


def mean_square(tensor: Tensor, limit: int) -> float:
    """E[x^2] over a sample of about `limit` elements; the relative error is about sqrt(2 / limit) for independent elements."""
    values = sample(tensor, limit)
    return sum_of_squares(values) / values.numel() if values.numel() else math.nan


def _careful(values: Tensor) -> float:
    if values.numel() == 0:
        return 0.0
    largest = float(values.abs().max())
    if largest == 0.0 or not math.isfinite(largest):
        return math.nan if math.isnan(largest) else largest
    scaled = values.double() / largest
    return float(torch.dot(scaled, scaled)) * largest * largest
