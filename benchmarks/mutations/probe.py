"""A short training of a mutant and of its base on the same task: does the fault cost anything?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.mutations.bases import Base

STEPS, SAMPLES, BATCH = 40, 256, 32
RATES: dict[str, tuple[float, ...]] = {"sgd": (0.01, 0.1), "adam": (0.001, 0.01)}
MARGIN = 0.15
"""Nats of training loss, at its best rate, by which a mutant must end above its base to count as harmed."""


@dataclass(frozen=True)
class Probe:
    """Mean loss over all steps, at the best learning rate of each optimizer, averaged over them."""

    base: float
    mutant: float

    @property
    def harmed(self) -> bool:
        return not self.mutant - self.base < MARGIN


def probe(base: Base, build: Callable[[], nn.Module], seed: int) -> Probe:
    """Trains both from one seed on one task: ten classes that depend on the input alone."""
    inputs, labels = task(base, seed)
    return Probe(best(base.build, inputs, labels, seed), best(build, inputs, labels, seed))


def task(base: Base, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sample = base.inputs()
    assert isinstance(sample, Tensor)
    if sample.is_floating_point():
        inputs = torch.randn(SAMPLES, *sample.shape[1:], generator=generator)
        flat = inputs.flatten(1)
        if inputs.ndim == 4:
            # a colour cast and a few broad patterns, which convolutions can see
            flat = functional.adaptive_avg_pool2d(inputs, 2).flatten(1)
        return inputs, (flat @ torch.randn(flat.shape[1], 10, generator=generator)).argmax(1)
    inputs = torch.randint(1, int(sample.max()) + 1, (SAMPLES, sample.shape[1]), generator=generator)
    return inputs, inputs[:, -1] % 10


def best(build: Callable[[], nn.Module], inputs: Tensor, labels: Tensor, seed: int) -> float:
    totals = [min(trained(build, inputs, labels, seed, name, rate) for rate in rates) for name, rates in RATES.items()]
    return sum(totals) / len(totals)


def trained(build: Callable[[], nn.Module], inputs: Tensor, labels: Tensor, seed: int, name: str, rate: float) -> float:
    torch.manual_seed(seed)
    model = build().train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(parameters, rate, momentum=0.9) if name == "sgd" else torch.optim.Adam(parameters, rate)
    losses = []
    for step in range(STEPS):
        chosen = torch.arange(step * BATCH, (step + 1) * BATCH) % SAMPLES
        output = model(inputs[chosen])
        logits = output.logits if hasattr(output, "logits") else output
        logits = logits[:, -1] if logits.ndim == 3 else logits
        loss = functional.cross_entropy(logits[:, :10], labels[chosen])
        if not math.isfinite(loss.item()):
            return math.inf
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)
