"""Whether two tensors could be two draws of one scheme, or are the same numbers where nothing was drawn."""

from __future__ import annotations

import math

import torch

_ERRORS = 5.0
"""Standard errors by which two standard deviations, or two means, may lie apart."""
_LEAST = 0.05
"""Relative difference of two standard deviations that is never told: schemes are not told apart by less."""


def alike(first: torch.Tensor, second: torch.Tensor, *, drawn: bool) -> bool:
    """Whether the second tensor starts as the first does. `drawn`: the values are random, so that only their law can agree."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.is_meta or second.is_meta or not first.numel():
        return True
    one, two = first.detach().double(), second.detach().double()
    if torch.equal(one, two):
        return True
    if not drawn or not bool(torch.isfinite(two).all()):
        return False
    if _constant(one) or _constant(two):
        return False
    size = one.numel()
    spread, other = float(one.std(correction=0)), float(two.std(correction=0))
    ratio = abs(math.log(spread / other))
    apart = abs(float(one.mean()) - float(two.mean())) / max(spread, other)
    return ratio <= max(_LEAST, _ERRORS * math.sqrt(1.0 / size)) and apart <= _ERRORS * math.sqrt(2.0 / size)


def described(tensor: torch.Tensor) -> str:
    """`all 1`, or mean and standard deviation."""
    if tensor.is_meta or not tensor.numel():
        return "no values"
    values = tensor.detach().double()
    if _constant(values):
        return f"all {float(values.reshape(-1)[0]):g}"
    return f"mean {float(values.mean()):.3g}, std {float(values.std(correction=0)):.3g}"


def _constant(values: torch.Tensor) -> bool:
    return bool(values.min() == values.max())
