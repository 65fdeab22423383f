"""Zero weights made passable for one run, so that the gradient behind them can be measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Module

_MATRIX, _VECTOR = 1e-3, 1e-6
"""Size of the noise (times 1/sqrt(fan_in) for a matrix): small enough to leave every other signal as it is, large enough for the
square of a gradient behind two such barriers to stay within single precision."""


def zero_parameters(model: Module) -> dict[str, Tensor]:
    """The parameters that are zero throughout, by name."""
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if not isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin)
        and parameter.layout is torch.strided
        and (parameter.is_floating_point() or parameter.is_complex())
        and parameter.numel()
        and not parameter.is_meta
        and not bool(parameter.detach().any())
    }


@contextmanager
def lifted(model: Module, seed: int) -> Iterator[tuple[str, ...]]:
    """Replaces every zero parameter by tiny noise; outside, each is as it was, negative zeros included.

    Only ratios of gradients between two places below the same barriers mean anything inside.
    """
    found = zero_parameters(model)
    kept = {name: parameter.detach().clone() for name, parameter in found.items()}
    generator = torch.Generator().manual_seed(seed)
    try:
        with torch.no_grad():
            for parameter in found.values():
                noise = torch.randn(parameter.shape, generator=generator) * _size(parameter)
                parameter.copy_(noise)
        yield tuple(found)
    finally:
        with torch.no_grad():
            for name, parameter in found.items():
                parameter.copy_(kept[name])


def _size(parameter: Tensor) -> float:
    return _MATRIX / math.sqrt(parameter.numel() / parameter.shape[0]) if parameter.dim() > 1 else _VECTOR
