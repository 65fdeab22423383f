"""Fans as the use of a weight implies them, next to what torch computes from the shape alone.

fan_in = E[y^2] / (Var(w) E[x^2]), fan_out = E[g_x^2] / (Var(w) E[g_y^2]); both measured for every row below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.errors import NotKnown


@dataclass(frozen=True, slots=True)
class Fans:
    """How many weights meet in one output (`fan_in`) and in one input gradient (`fan_out`), rounded to whole numbers, at least 1."""

    fan_in: int
    fan_out: int


def torch_fans(shape: Sequence[int]) -> Fans:
    """What `torch.nn.init._calculate_fan_in_and_fan_out` computes: axis 0 is output, axis 1 input, the rest a kernel.

    Raises:
        NotKnown: for fewer than two axes, where torch raises.
    """
    _need(shape, 2)
    return Fans(shape[1] * math.prod(shape[2:]), shape[0] * math.prod(shape[2:]))


def linear(shape: Sequence[int]) -> Fans:
    """Fans of `y = x W^T`; shape (out, in)."""
    _need(shape, 2)
    return _fans(shape[1], shape[0])


def transposed(shape: Sequence[int]) -> Fans:
    """Fans of `y = x W`; shape (in, out). torch's fans are the other way round."""
    _need(shape, 2)
    return _fans(shape[0], shape[1])


def conv(shape: Sequence[int], groups: int = 1, stride: int | Sequence[int] = 1) -> Fans:
    """Fans of a convolution away from its border; shape (out, in / groups, kernel...).

    torch's fan_out is `groups * prod(stride)` times too large.
    """
    _need(shape, 3)
    taps = math.prod(shape[2:])
    return _fans(shape[1] * taps, shape[0] / groups * taps / _area(stride, len(shape) - 2))


def conv_transpose(shape: Sequence[int], groups: int = 1, stride: int | Sequence[int] = 1) -> Fans:
    """Fans of a transposed convolution away from its border, averaged over phases; shape (in, out / groups, kernel...).

    torch's fan_in is this fan_out, and its fan_out is `groups * prod(stride)` times this fan_in.
    """
    _need(shape, 3)
    taps = math.prod(shape[2:])
    return _fans(shape[0] / groups * taps / _area(stride, len(shape) - 2), shape[1] * taps)


def embedding(shape: Sequence[int]) -> Fans:
    """Fans of a table that is looked up; shape (entries, width). A row is read as it is: E[y^2] = Var(w), whatever the shape."""
    _need(shape, 2)
    return Fans(1, 1)


def bilinear(shape: Sequence[int]) -> Fans:
    """Fans of `y = x1 W x2`; shape (out, in1, in2). fan_out is that of the input with the larger one."""
    _need(shape, 3)
    out, first, second = shape
    return _fans(first * second, out * max(first, second))


def packed(shape: Sequence[int], blocks: int) -> Fans:
    """Fans of each of `blocks` equal row blocks (the gates of a recurrent weight, q, k and v); shape (blocks * out, in).

    Raises:
        NotKnown: when the rows do not divide into the blocks.
    """
    _need(shape, 2)
    if blocks < 1 or shape[0] % blocks:
        raise NotKnown(f"{shape[0]} rows do not divide into {blocks} blocks")
    return _fans(math.prod(shape[1:]), shape[0] // blocks)


def expert_stack(shape: Sequence[int], *, inputs_first: bool = True) -> Fans:
    """Fans of each matrix in a stack; shape (experts, in, out), or (experts, out, in) if not `inputs_first`."""
    _need(shape, 3)
    rows, columns = shape[-2], shape[-1]
    return _fans(rows, columns) if inputs_first else _fans(columns, rows)


def live_taps(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]) -> float:
    """Mean number of kernel taps that meet data rather than zero padding, over all output positions; one entry per spatial axis.

    Raises:
        NotKnown: when the kernel does not fit the input.
    """
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return math.prod(_live(*axis) for axis in axes)


def _live(size: int, kernel: int, stride: int, padding: int, dilation: int) -> float:
    positions = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if positions < 1:
        raise NotKnown(f"a kernel of {kernel} does not fit an axis of {size}")
    starts = (position * stride - padding for position in range(positions))
    return sum(0 <= start + tap * dilation < size for start in starts for tap in range(kernel)) / positions


def _area(stride: int | Sequence[int], axes: int) -> int:
    return stride**axes if isinstance(stride, int) else math.prod(stride)


def _fans(fan_in: float, fan_out: float) -> Fans:
    return Fans(max(1, round(fan_in)), max(1, round(fan_out)))


def _need(shape: Sequence[int], axes: int) -> None:
    if len(shape) < axes:
        raise NotKnown(f"a tensor with {len(shape)} axes has no fans")
