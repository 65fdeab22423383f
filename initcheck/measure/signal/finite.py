"""Where in a run NaN and infinity stand: every operation looked at, in a second run that only a broken first one needs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from initcheck.measure.signal.moments import real
from initcheck.records.stats import BrokenValue


def all_finite(outputs: Sequence[Tensor]) -> bool:
    """Whether no element of any output is NaN or infinite."""
    return all(values is None or bool(torch.isfinite(values).all()) for values in map(real, outputs))


class FiniteObserver:
    """Notes every operation whose result is not finite; keeps no tensor."""

    def __init__(self) -> None:
        self._found: list[BrokenValue] = []

    def wants(self, op: str) -> bool:
        """Every operation."""
        return bool(op)

    def forward(self, node: int, op: str, output: Tensor, inputs: tuple[Tensor | None, ...]) -> None:
        """Looks at one result and at what it was made of."""
        del op
        values = real(output)
        if values is None or bool(torch.isfinite(values).all()):
            return
        read = [operand for tensor in inputs if tensor is not None and (operand := real(tensor)) is not None]
        self._found.append(
            BrokenValue(
                node,
                nan=bool(torch.isnan(values).any()),
                infinite=bool(torch.isinf(values).any()),
                from_finite=all(bool(torch.isfinite(operand).all()) for operand in read),
            )
        )

    def backward(self, node: int, gradient: Tensor) -> None:
        """Gradients are of no interest here."""

    def results(self) -> tuple[BrokenValue, ...]:
        """In the order of execution."""
        return tuple(self._found)
