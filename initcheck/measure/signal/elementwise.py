"""What a nonlinearity did to its input: which elements are flat, how steep it was on average."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

RECTIFIERS = frozenset({"relu", "relu6", "threshold"})
"""Nonnegative outputs, exactly zero over a half line: a unit that is zero on the whole batch is dead."""

CLAMPS = frozenset({"hardtanh", "clamp", "clamp_min"})
"""Dead at a lower bound of zero like a rectifier; saturated at the bounds otherwise."""


def saturated(op: str, output: Tensor, source: Tensor | None) -> float | None:
    """The share of elements where the nonlinearity is flat, from a sample of its outputs (and inputs); `None` when it has no flat part."""
    if output.numel() == 0:
        return None
    if op in CLAMPS:
        # Being zero below zero is what a rectifier is for; only the other bound saturates it.
        return None if source is None else _share(output.ne(source) & output.ne(0))
    flat = _FLAT.get(op)
    return None if flat is None else _share(flat(output))


def derivative(op: str, output: Tensor, source: Tensor | None) -> float | None:
    """E[phi'(z)^2] from a sample of outputs and inputs at the same places; `None` when it is not known in closed form.

    `source` must be `None` when the operation overwrote its input.
    """
    if output.numel() == 0:
        return None
    if op == "relu":
        return _share(output > 0)
    known = _FROM_OUTPUT.get(op)
    if known is not None:
        return _finite(known(output))
    slope = _FROM_BOTH.get(op)
    return None if slope is None or source is None else _finite(slope(output, source))


def _share(mask: Tensor) -> float:
    return float(torch.count_nonzero(mask)) / int(mask.numel())


def _finite(slope: Tensor) -> float | None:
    square = float(slope.float().square().mean())
    return square if math.isfinite(square) else None


def _ratio(output: Tensor, source: Tensor) -> Tensor:
    """Piecewise linear through the origin: the slope is output over input (0 stands for the kink at the origin)."""
    return torch.where(source == 0, torch.zeros_like(source), output / source)


def _elu(output: Tensor, source: Tensor) -> Tensor:
    """One class of functions, s*x above zero and s*a*(e^x - 1) below: both constants are read off the values (also SELU)."""
    slope = _ratio(output, source)
    lowest = int(source.argmin())
    negative = source < 0
    if not bool(negative[lowest]):
        return slope
    factor = output[lowest] / torch.expm1(source[lowest])
    return torch.where(negative, output + factor, slope)


def _gelu(output: Tensor, source: Tensor) -> Tensor:
    del output
    density = torch.exp(-0.5 * source.square()) / math.sqrt(2 * math.pi)
    return 0.5 * (1 + torch.erf(source / math.sqrt(2))) + source * density


def _silu(output: Tensor, source: Tensor) -> Tensor:
    gate = torch.sigmoid(source)
    return gate + output * (1 - gate)


def _mish(output: Tensor, source: Tensor) -> Tensor:
    del output
    inner = torch.tanh(torch.nn.functional.softplus(source))
    return inner + source * torch.sigmoid(source) * (1 - inner.square())


_FLAT: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: y.abs() > 0.97,
    "sigmoid": lambda y: (y - 0.5).abs() > 0.47,
    "softsign": lambda y: y.abs() > 0.9,
    "hardsigmoid": lambda y: (y <= 0) | (y >= 1),
}

_FROM_OUTPUT: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: 1 - y.square(),
    "sigmoid": lambda y: y * (1 - y),
    "softsign": lambda y: (1 - y.abs()).square(),
}

_FROM_BOTH: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "leaky_relu": _ratio,
    "prelu": _ratio,
    "_prelu_kernel": _ratio,
    "elu": _elu,
    "celu": _elu,
    "selu": _elu,
    "gelu": _gelu,
    "silu": _silu,
    "mish": _mish,
    "softplus": lambda _, x: torch.sigmoid(x),
    "hardtanh": lambda y, x: y == x,
    "clamp": lambda y, x: y == x,
    "clamp_min": lambda y, x: y == x,
    "relu6": lambda y, x: y == x,
}
