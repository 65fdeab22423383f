"""How much work a model's step is, counted and not timed, so that a plan made of it is the same each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from initcheck.trace.session import preserved
from initcheck.verify.training import EVALUATED, Samples, deterministic, pixels

PER_CALL, PER_ELEMENT, PER_PARAMETER, PER_STEP = 6e-6, 1.2e-9, 3e-9, 3e-4
"""Seconds of the nominal processor, one core of a server of today: for a call of an operation, an element written, a parameter in the
optimizer, and a step as such."""

PER_FLOP, PER_CONVOLUTION = 2.5e-11, 4e-11
"""The same for a multiplication or addition in a matrix product, and in a convolution."""


COUNTED = (2, 4)
"""Samples in the two batches that are run to count."""


@dataclass(frozen=True, slots=True)
class Work:
    """Seconds of a nominal processor: `step` of a training step with its batch, `image` of the evaluation of one image."""

    step: float
    image: float


class _Counter(TorchDispatchMode):
    """Counts calls, what the products among them cost, and elements written."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = self.elements = 0
        self.products = 0.0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True would import torch._dynamo, which takes longer than the counting
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        self.calls += 1
        count = flop_registry.get(func._overloadpacket)  # noqa: SLF001  (the registry's own key)
        if count is not None:
            price = PER_CONVOLUTION if "convolution" in func.__name__ else PER_FLOP
            self.products += price * int(count(*args, **kwargs, out_val=out))
        elif "rnn_layer" in func.__name__:  # a whole recurrence in one call, which the registry does not know
            length, batch = args[0].shape[:2]
            passes = 2 if "backward" in func.__name__ else 1
            self.products += PER_FLOP * 2 * length * batch * (args[1].numel() + args[2].numel()) * passes
        results = out if isinstance(out, (tuple, list)) else (out,)
        self.elements += sum(one.numel() for one in results if isinstance(one, Tensor))
        return out

    @property
    def values(self) -> float:
        """Seconds of the nominal processor that grow with the batch."""
        return self.products + self.elements * PER_ELEMENT


def work_of(module: nn.Module, samples: Samples | None, batch: int) -> Work:
    """Counts a training step on `batch` samples and the evaluation of one; the module, its gradients and buffers are left as they were.

    Two small batches are run instead of the whole one, which a large model would spend the budget on; what grows with the batch is a
    straight line through both.
    """
    few, more = COUNTED if samples is not None and batch > COUNTED[1] else (batch, batch)
    with preserved(module), deterministic(0):
        first = _counted(module, samples, few)
        second = _counted(module, samples, more) if more > few else first
    step, look = ((later.values - sooner.values) / max(more - few, 1) for sooner, later in zip(first, second, strict=True))
    stepping, looking = second
    trained = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    whole = stepping.values + step * (batch - more) + stepping.calls * PER_CALL + trained * PER_PARAMETER + PER_STEP
    if samples is None:
        return Work(whole, looking.values + looking.calls * PER_CALL)
    return Work(whole, (look if more > few else looking.values / batch) + looking.calls * PER_CALL / EVALUATED)


def _counted(module: nn.Module, samples: Samples | None, batch: int) -> tuple[_Counter, _Counter]:
    """What a training step costs and what an evaluation."""
    stepping, looking = _Counter(), _Counter()
    with stepping:
        _loss(module, samples, batch).backward()
    with torch.no_grad(), looking:
        _loss(module, samples, batch)
    return stepping, looking


def _loss(module: nn.Module, samples: Samples | None, batch: int) -> Tensor:
    if samples is None:
        return module()
    return functional.cross_entropy(module(pixels(samples.train[:batch])), samples.train_labels[:batch])
