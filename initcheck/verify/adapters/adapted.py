"""A model between an entry for images and a readout of classes, or on fixed random targets of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from initcheck.construct.inputs import Guess
from initcheck.verify.adapters.entry import Entry
from initcheck.verify.adapters.own_input import Place, stretched
from initcheck.verify.adapters.readout import Readout, floats


@dataclass(frozen=True, slots=True)
class Digits:
    """Ten classes of images. `guess` is the model's own input, whose argument at `place` gives way to the image."""

    guess: Guess
    place: Place
    entry: Entry
    readout: Readout
    classes: int
    told: tuple[str, ...]

    def module(self, model: nn.Module, seed: int) -> Adapted:
        """The model with both; a linear readout is drawn from the seed, so that all variants have the same."""
        return Adapted(model, self, seed)

    @property
    def prepare(self) -> Callable[[], AbstractContextManager[None]]:
        """Opens the context in which the model takes its input."""
        return self.guess.prepare


@dataclass(frozen=True, slots=True)
class RandomTargets:
    """Fixed standard normal targets in the shapes of the model's own outputs, for its own fixed input."""

    guess: Guess
    targets: tuple[Tensor, ...]
    places: tuple[int, ...]
    told: tuple[str, ...]

    def module(self, model: nn.Module, _seed: int) -> Fitting:
        """The model with its targets."""
        return Fitting(model, self)

    @property
    def prepare(self) -> Callable[[], AbstractContextManager[None]]:
        """Opens the context in which the model takes its input."""
        return self.guess.prepare


class Adapted(nn.Module):
    """From images [B, 1, height, width] between 0 and 1 to logits [B, classes]."""

    def __init__(self, model: nn.Module, how: Digits, seed: int) -> None:
        super().__init__()
        self.model = model
        self._how = how
        self.linear: nn.Linear | None = None
        if not how.readout.own:
            generator = torch.Generator().manual_seed(seed)
            weight = torch.randn(how.classes, how.readout.width, generator=generator) / math.sqrt(how.readout.width)
            self.linear = nn.Linear(how.readout.width, how.classes, device="meta").to_empty(device="cpu")
            with torch.no_grad():
                self.linear.weight.copy_(weight)
                self.linear.bias.zero_()

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        how = self._how
        args, kwargs = arguments(how.guess, len(images), {how.place: how.entry.of(images)})
        features = how.readout.features(self.model(*args, **kwargs))
        return features if self.linear is None else self.linear(features)


class Fitting(nn.Module):
    """The loss on fixed random targets."""

    def __init__(self, model: nn.Module, how: RandomTargets) -> None:
        super().__init__()
        self.model = model
        self._how = how

    def forward(self) -> Tensor:
        """The mean squared error over all targets; 1 is that of an output of zero."""
        results = floats(self.model(*self._how.guess.args, **self._how.guess.kwargs))
        losses = [
            functional.mse_loss(results[place].float(), target) for place, target in zip(self._how.places, self._how.targets, strict=True)
        ]
        return torch.stack(losses).mean()


def arguments(guess: Guess, count: int, instead: Mapping[Place, Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a guess for `count` samples, some of them replaced."""
    batch = guess.summary.batch
    args = tuple(instead.get(place, None) if place in instead else stretched(value, batch, count) for place, value in enumerate(guess.args))
    kwargs = {name: instead[name] if name in instead else stretched(value, batch, count) for name, value in guess.kwargs.items()}
    return args, kwargs
