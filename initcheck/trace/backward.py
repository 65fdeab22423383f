"""The one backward pass: a random cotangent at the outputs, the gradients of chosen operations shown to the observer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from initcheck.trace.tracer import Trace

_SUFFIX = re.compile(r"Backward\w*$")


def backward(trace: Trace, seed: int) -> bool:
    """Sends a standard normal cotangent back from all outputs; gradients accumulate in `.grad` as usual.

    Returns:
        Whether there was anything to differentiate.
    """
    live = [tensor for _, tensor in trace.outputs if tensor.requires_grad]
    if not live:
        return False
    cotangents = [_normal(tensor, seed + index) for index, tensor in enumerate(live)]
    handles = [function.register_prehook(_watch(trace, node, number)) for function, number, node in _linked(trace, live)]
    try:
        torch.autograd.backward(live, cotangents)
    finally:
        for handle in handles:
            handle.remove()
    return True


def _normal(tensor: Tensor, seed: int) -> Tensor:
    generator = torch.Generator()
    generator.manual_seed(seed)
    kind = torch.complex64 if tensor.is_complex() else torch.float32
    return torch.randn(tensor.shape, generator=generator, dtype=kind).to(tensor)


def _watch(trace: Trace, node: int, number: int) -> Callable[[Any], None]:
    def look(gradients: Any) -> None:
        gradient = gradients[number]
        if gradient is not None:
            with torch.no_grad():
                trace.observer.backward(node, gradient)

    return look


def _linked(trace: Trace, live: list[Tensor]) -> list[tuple[Any, int, int]]:
    """Autograd nodes, the number of the result to watch, and the graph node that each belongs to."""
    found = list(trace.ends)
    if not trace.sequence:
        return found
    seen: set[Any] = set()
    waiting = [tensor.grad_fn for tensor in live]
    while waiting:
        function = waiting.pop()
        if function is None or function in seen:
            continue
        seen.add(function)
        waiting.extend(parent for parent, _ in function.next_functions)
        node, raw = trace.sequence.get(function._sequence_nr(), (-1, ""))  # noqa: SLF001
        if node >= 0 and _same(function.name(), raw):
            found.append((function, 0, node))
    return found


def _same(autograd: str, raw: str) -> bool:
    """Whether an autograd node's name fits the operator that the tracer saw under the same sequence number."""
    left = _SUFFIX.sub("", autograd.rsplit("::", 1)[-1]).lower()
    return left == raw.replace("_", "").lower()
