"""What a measuring room may ask of the tracer: a look at outputs and at their gradients while they are alive."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Observer(Protocol):
    """Looks at live tensors during one traced run; it must neither keep nor change them, nor draw random numbers.

    `op` is the operation name as it stands in `Node.op`.
    """

    def wants(self, op: str) -> bool:
        """Whether outputs of this operation are of interest; asked before any cost is paid."""

    def forward(self, node: int, op: str, output: Tensor, inputs: tuple[Tensor | None, ...]) -> None:
        """The (first) output of a node. `inputs` follow `Node.inputs`; one that the operation overwrote in place is None."""

    def backward(self, node: int, gradient: Tensor) -> None:
        """The gradient with respect to the (first) output of a node."""
