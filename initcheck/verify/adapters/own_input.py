"""The input that a model takes by itself, and the argument in it that can carry an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from initcheck.construct.inputs import Guess, candidates, choose_batch, describe, first_that_runs, normalise, parse
from initcheck.construct.inputs.declared import arguments_of
from initcheck.errors import TargetError

Place = int | str
"""Position or name of an argument."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of a model's input from elsewhere: an object, texts of `--input`, and samples that the source shows."""

    inputs: object = None
    texts: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


def own_input(model: nn.Module, given: Given) -> Guess:
    """The given input, or the first synthesised one on which the model runs.

    Raises:
        TargetError: when none does; says what is missing.
    """
    lazy = next((name for name, one in model.named_parameters() if torch.nn.parameter.is_lazy(one)), None)
    if lazy is not None:
        hint = "run one batch through the model where it is built: def initcheck_model(): model = Net(); model(batch); return model"
        raise TargetError(f"the weight {lazy} does not exist before the first batch", hint, name="lazy-layers")

    def attempt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        with torch.no_grad():
            model(*args, **kwargs)

    _, guess = first_that_runs(model, _guesses(model, given), attempt)
    return guess


def carriers(guess: Guess) -> Iterator[tuple[Place, Tensor, int]]:
    """The arguments that may carry an image, with the axis of their batch: float ones first, then integers."""
    named: list[tuple[Place, Any]] = [*enumerate(guess.args), *guess.kwargs.items()]
    tensors = [(place, value) for place, value in named if isinstance(value, Tensor) and value.dim() > 1]
    kinds = (torch.is_floating_point, lambda value: value.dtype in (torch.int64, torch.int32) and value.dim() == 2)
    for fits in kinds:
        for place, value in tensors:
            axis = batch_axis(value, guess.summary.batch)
            if fits(value) and axis is not None and 0 not in value.shape:
                yield place, value, axis


def batch_axis(value: Tensor, batch: int) -> int | None:
    """The first axis that is as long as the batch, None for none."""
    return next((axis for axis, size in enumerate(value.shape) if size == batch), None)


def stretched(value: Any, batch: int, count: int) -> Any:
    """An argument for another number of samples: tensors repeat their first sample, everything else stays."""
    if isinstance(value, Tensor):
        axis = batch_axis(value, batch)
        if axis is None:
            return value
        sizes = [count if index == axis else size for index, size in enumerate(value.shape)]
        return value.narrow(axis, 0, 1).expand(sizes)
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(stretched(item, batch, count) for item in value)
    return {key: stretched(item, batch, count) for key, item in value.items()} if type(value) is dict else value


def _guesses(model: nn.Module, given: Given) -> Iterator[Guess]:
    batch = choose_batch(model)
    if given.inputs is None and not given.texts:
        return candidates(model, batch, 0, examples=given.examples)
    if isinstance(given.inputs, tuple) and given.inputs and isinstance(given.inputs[0], Guess):
        return iter(given.inputs)
    args, kwargs = normalise(given.inputs) if given.inputs is not None else parse(given.texts, batch, 0)
    names = tuple(parameter.name for parameter in arguments_of(model))
    size = _first_size((*args, *kwargs.values())) or batch
    return iter([Guess(args, kwargs, describe(args, kwargs, "given", size), given=True, arguments=names)])


def _first_size(values: Sequence[Any]) -> int:
    return next((int(value.shape[0]) for value in values if isinstance(value, Tensor) and value.dim()), 0)
