"""Fans as the use of a weight implies them, next to what torch computes from the shape alone.

fan_in = E[y^2] / (Var(w) E[x^2]), fan_out = E[g_x^2] / (Var(w) E[g_y^2]); the tests measure both for every function below.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.errors import NotKnown


@dataclass(frozen=True, slots=True)
class Fans:
    """How many weights meet in one output (`fan_in`) and in one input gradient (`fan_out`), exact and so not always whole.

    torch_fan_in, torch_fan_out: what `torch.nn.init._calculate_fan_in_and_fan_out` says of the tensor; None where torch raises.
    """

    fan_in: float
    fan_out: float
    torch_fan_in: int | None = None
    torch_fan_out: int | None = None

    @property
    def whole(self) -> tuple[int, int]:
        """fan_in and fan_out rounded to whole numbers, at least 1."""
        return max(1, round(self.fan_in)), max(1, round(self.fan_out))

    def stored_as(self, shape: Sequence[int]) -> Fans:
        """The same use of a weight that is stored in a tensor of this shape, which is what an initializing call gets to see."""
        if len(shape) < 2:
            return dataclasses.replace(self, torch_fan_in=None, torch_fan_out=None)
        seen = torch_fans(shape)
        return dataclasses.replace(self, torch_fan_in=seen.torch_fan_in, torch_fan_out=seen.torch_fan_out)


def torch_fans(shape: Sequence[int]) -> Fans:
    """What `torch.nn.init._calculate_fan_in_and_fan_out` computes: axis 0 is output, axis 1 input, the rest a kernel.

    Raises:
        NotKnown: for fewer than two axes, where torch raises.
    """
    _need(shape, 2)
    taps = math.prod(shape[2:])
    return Fans(shape[1] * taps, shape[0] * taps, shape[1] * taps, shape[0] * taps)


def linear(shape: Sequence[int]) -> Fans:
    """Fans of `y = x W^T`; shape (out, in)."""
    _need(shape, 2)
    return contraction("oi", shape, "ni", "no")


def transposed(shape: Sequence[int]) -> Fans:
    """Fans of `y = x W`; shape (in, out). torch's fans are the other way round."""
    _need(shape, 2)
    return contraction("io", shape, "ni", "no")


def contraction(weight: str, shape: Sequence[int], data: str, output: str) -> Fans:
    """Fans of any product of a weight with data, one letter for each axis, as in an einsum.

    An axis that the output has not is summed over: fan_in. One that only weight and output have is an output axis: fan_out. One that weight,
    data and output share is a batch of separate weights and counts for neither.

    Args:
        weight: the letters of the weight's axes.
        shape: their sizes.
        data: the letters of everything that it is multiplied with.
        output: the letters of the result.

    Raises:
        NotKnown: when there are not as many letters as axes, or a letter of the output comes from nowhere.
    """
    if len(weight) != len(shape) or len(set(weight)) != len(weight):
        raise NotKnown(f"the axes `{weight}` do not fit a weight of shape {tuple(shape)}")
    if set(output) - set(weight) - set(data):
        raise NotKnown(f"`{output}` has axes that neither `{weight}` nor `{data}` has")
    sizes = dict(zip(weight, shape, strict=True))
    fan_in = math.prod(size for letter, size in sizes.items() if letter not in output)
    fan_out = math.prod(size for letter, size in sizes.items() if letter in output and letter not in data)
    return Fans(fan_in, fan_out).stored_as(shape)


def einsum(equation: str, operand: int, shape: Sequence[int]) -> Fans:
    """Fans of the weight that is operand number `operand` (from 0) of `torch.einsum(equation, ...)`.

    Raises:
        NotKnown: for an equation that leaves axes of the weight unnamed (`...`), or does not fit the shape.
    """
    left, arrow, output = equation.replace(" ", "").partition("->")
    operands = left.split(",")
    if not 0 <= operand < len(operands) or "." in operands[operand]:
        raise NotKnown(f"`{equation}` does not name the axes of operand {operand}")
    data = "".join(text for index, text in enumerate(operands) if index != operand)
    if not arrow:
        joined = left.replace(",", "").replace(".", "")
        output = "".join(sorted(letter for letter in set(joined) if joined.count(letter) == 1))
    return contraction(operands[operand], shape, data.replace(".", ""), output.replace(".", ""))


def conv(shape: Sequence[int], groups: int = 1, stride: int | Sequence[int] = 1, taps: float | None = None) -> Fans:
    """Fans of a convolution; shape (out, in / groups, kernel...). Dilation changes nothing.

    torch's fan_out is `groups * prod(stride)` times too large.

    Args:
        shape: shape of the weight.
        groups: number of groups.
        stride: the step, one number or one per axis.
        taps: mean number of kernel taps that meet data (`live_taps`); None is all of them, as away from the border.
    """
    _need(shape, 3)
    area = math.prod(shape[2:])
    live = area if taps is None else taps
    return Fans(shape[1] * live, shape[0] / groups * area / _steps(stride, len(shape) - 2)).stored_as(shape)


def conv_transpose(shape: Sequence[int], groups: int = 1, stride: int | Sequence[int] = 1, taps: float | None = None) -> Fans:
    """Fans of a transposed convolution, averaged over phases; shape (in, out / groups, kernel...).

    torch's fan_in is this fan_out, and its fan_out is `groups * prod(stride)` times this fan_in. Arguments as in `conv`.
    """
    _need(shape, 3)
    area = math.prod(shape[2:])
    live = area / _steps(stride, len(shape) - 2) if taps is None else taps
    return Fans(shape[0] / groups * live, shape[1] * area).stored_as(shape)


def embedding(shape: Sequence[int], rows: int = 1, mode: str = "sum") -> Fans:
    """Fans of a table that is looked up; shape (entries, width). A row is read as it is: E[y^2] = Var(w), whatever the shape.

    Args:
        shape: shape of the table.
        rows: how many rows a bag puts together.
        mode: `sum`, or `mean` which leaves 1 / rows of the variance.

    Raises:
        NotKnown: for another mode (`max`).
    """
    _need(shape, 2)
    if mode not in ("sum", "mean"):
        raise NotKnown(f"a bag of rows by `{mode}` has no fans")
    return Fans(rows if mode == "sum" else 1 / rows, 1).stored_as(shape)


def bilinear(shape: Sequence[int]) -> Fans:
    """Fans of `y = x1 W x2`; shape (out, in1, in2). fan_out is that of the input with the larger one (x1 has out * in2)."""
    _need(shape, 3)
    out, first, second = shape
    return Fans(first * second, out * max(first, second)).stored_as(shape)


def packed(shape: Sequence[int], blocks: int) -> Fans:
    """Fans of each of `blocks` equal row blocks (the gates of a recurrent weight, q, k and v); shape (blocks * out, in).

    Raises:
        NotKnown: when the rows do not divide into the blocks.
    """
    _need(shape, 2)
    if blocks < 1 or shape[0] % blocks:
        raise NotKnown(f"{shape[0]} rows do not divide into {blocks} blocks")
    return Fans(math.prod(shape[1:]), shape[0] // blocks).stored_as(shape)


def expert_stack(shape: Sequence[int], *, inputs_first: bool = True) -> Fans:
    """Fans of each matrix in a stack; shape (experts, in, out), or (experts, out, in) if not `inputs_first`."""
    _need(shape, 3)
    return contraction("eio" if inputs_first else "eoi", shape, "eni", "eno")


def live_taps(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]) -> float:
    """Mean number of kernel taps that meet data rather than zero padding, over all output positions; one entry per spatial axis.

    Raises:
        NotKnown: when the kernel does not fit the input.
    """
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return math.prod(_live(*axis) for axis in axes)


def live_taps_transposed(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    extra: Sequence[int],
) -> float:
    """Mean number of taps that reach an output position of a transposed convolution; `extra` is its output padding.

    Raises:
        NotKnown: when nothing is left of the output.
    """
    axes = zip(size, kernel, stride, padding, dilation, extra, strict=True)
    return math.prod(_live_transposed(*axis) for axis in axes)


def _live(size: int, kernel: int, stride: int, padding: int, dilation: int) -> float:
    positions = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if positions < 1:
        raise NotKnown(f"a kernel of {kernel} does not fit an axis of {size}")
    starts = (position * stride - padding for position in range(positions))
    return sum(0 <= start + tap * dilation < size for start in starts for tap in range(kernel)) / positions


def _live_transposed(size: int, kernel: int, stride: int, padding: int, dilation: int, extra: int) -> float:
    positions = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
    if positions < 1:
        raise NotKnown(f"a kernel of {kernel} on an axis of {size} makes no output")
    starts = (position * stride - padding for position in range(size))
    return sum(0 <= start + tap * dilation < positions for start in starts for tap in range(kernel)) / positions


def _steps(stride: int | Sequence[int], axes: int) -> int:
    steps = (stride,) if isinstance(stride, int) else tuple(stride)
    return math.prod(steps * axes if len(steps) == 1 else steps)


def _need(shape: Sequence[int], axes: int) -> None:
    if len(shape) < axes:
        raise NotKnown(f"a tensor with {len(shape)} axes has no fans")
