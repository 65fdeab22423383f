"""Runs that only work by accident: samples that are mixed, and an activation that is stretched to fit the positions of the model."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.names import is_graph
from initcheck.construct.inputs.repair.probe import places, probe
from initcheck.construct.inputs.samples import Fields, Guess

_FEW = 3
"""Samples that settle whether they influence each other."""
_ASSIGNMENTS = 6
"""Ways in which the samples may lie in the arguments, at most."""

MIXED = "the outputs of one sample change with the other samples: the first axis of the sample input may not be the batch"
STRETCHED = "one position of the sample input is stretched over all positions of the model: it may be too small"

RECUT = "a reshape changes the number of samples: the images of the sample input may not have the size that the model is made for"


def accident(model: Module, guess: Guess) -> str:
    """What is odd about a guess that runs; empty for nothing, and where it cannot be told."""
    names = _names(guess)
    if not (guess.inferred or guess.shown) or is_graph(names) or _mixes(model):
        return ""
    args, kwargs = _narrow(guess)
    given = [tensor for _, tensor in places(args, kwargs)]
    rows = next((int(tensor.shape[0]) for tensor in given if tensor.dim()), 0)
    with evaluation(model):
        seen = probe(model, args, kwargs)
        if seen.error is not None:
            args, kwargs = guess.args, guess.kwargs
            given = [tensor for _, tensor in places(args, kwargs)]
            rows = next((int(tensor.shape[0]) for tensor in given if tensor.dim()), 0)
            seen = probe(model, args, kwargs)
        if seen.error is not None:
            return ""
        if seen.stretched or seen.recut:
            return STRETCHED if seen.stretched else RECUT
        if rows < 2 or any(_independent(model, args, kwargs, axes) for axes in _assignments(given)):
            return ""
    return MIXED


def _names(guess: Guess) -> list[str]:
    bundled = [str(key) for value in guess.args if isinstance(value, Fields) for key in value]
    return [*bundled, *guess.kwargs, *guess.arguments]


def _mixes(model: Module) -> bool:
    """Normalisation over the samples in every mode mixes them by design; bags that are told by offsets lie in one row."""
    if any(isinstance(module, torch.nn.EmbeddingBag) for module in model.modules()):
        return True
    norms = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)
    return any(isinstance(module, norms) and module.running_mean is None for module in model.modules())


def _narrow(guess: Guess) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The first few samples, where every tensor begins with the axis of the samples."""
    found = places(guess.args, guess.kwargs)
    batch = guess.summary.batch
    if batch <= _FEW or any(tensor.dim() == 0 or tensor.shape[0] != batch for _, tensor in found):
        return guess.args, guess.kwargs
    return mapped(guess.args, lambda tensor: tensor[:_FEW]), mapped(guess.kwargs, lambda tensor: tensor[:_FEW])


def mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same nest of containers with every tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return type(value)({key: mapped(item, change) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(item, change) for item in value)
    return value


@contextmanager
def evaluation(model: Module) -> Iterator[None]:
    """Evaluation mode while the context lasts."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _assignments(given: list[Tensor]) -> Iterator[tuple[int | None, ...]]:
    """Which axis of each tensor the samples may lie along: the first of all, the second of all, then any of these where both fit."""
    sizes = dict.fromkeys(int(size) for size in given[0].shape[:2] if size > 1)
    for rows in sizes:
        fitting: list[list[int | None]] = [
            [axis for axis in range(min(tensor.dim(), 2)) if tensor.shape[axis] == rows] or [None] for tensor in given
        ]
        yield from itertools.islice(sorted(itertools.product(*fitting), key=lambda axes: len(set(axes) - {None})), _ASSIGNMENTS)


def _independent(model: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], axes: tuple[int | None, ...]) -> bool:
    """Whether the other samples' outputs stay when the last sample becomes the first; true when that cannot be told."""
    given = [tensor for _, tensor in places(args, kwargs)]
    rows = next((int(tensor.shape[axis]) for tensor, axis in zip(given, axes, strict=True) if axis is not None), 0)
    own = {id(tensor): axis for tensor, axis in zip(given, axes, strict=True)}

    def change(tensor: Tensor) -> Tensor:
        axis = own[id(tensor)]
        return tensor if axis is None else torch.cat([tensor.narrow(axis, 0, rows - 1), tensor.narrow(axis, 0, 1)], axis)

    other_args, other_kwargs = mapped(args, change), mapped(dict(kwargs), change)
    if all(torch.equal(one, other) for one, (_, other) in zip(given, places(other_args, other_kwargs), strict=True)):
        return 1 not in axes
    before = outputs(model, args, kwargs)
    after = outputs(model, other_args, other_kwargs)
    return _others_stay(before, after, rows)


def outputs(model: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Copies of the floating outputs under fixed random numbers, none where the model raises."""
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[], device_type="cpu"), _same_dice():
            torch.manual_seed(0)
            found = [tensor.clone() for tensor in _floats(model(*args, **kwargs))]
    except Exception:  # noqa: BLE001  (the user's code may refuse other values; then nothing is told)
        return []
    return found


@contextmanager
def _same_dice() -> Iterator[None]:
    """Python's own random numbers begin anew, and go on as before afterwards."""
    state = random.getstate()
    random.seed(0)
    try:
        yield
    finally:
        random.setstate(state)


def _floats(value: Any) -> list[Tensor]:
    return [tensor for _, tensor in places((value,), {}) if tensor.is_floating_point()]


def _others_stay(before: list[Tensor], after: list[Tensor], rows: int) -> bool:
    pairs = [(one, other) for one, other in zip(before, after, strict=False) if one.shape == other.shape and one.numel() > 1]
    if not pairs or len(before) != len(after):
        return True
    told = [same for one, other in pairs if (same := _stays(one, other, rows)) is not None]
    if told:
        return all(told)
    # no output has the samples along an axis: lost among others, or summed into one value
    return all(one.dim() == 0 for one, _ in pairs)


def _stays(one: Tensor, other: Tensor, rows: int) -> bool | None:
    axes = [axis for axis in range(min(one.dim(), 2)) if one.shape[axis] == rows]
    for axis in axes:  # both of them in a table of all pairs
        one, other = one.narrow(axis, 0, rows - 1), other.narrow(axis, 0, rows - 1)
    if axes:
        return _close(one, other)
    if one.dim() and one.shape[0] % rows == 0:
        each = one.shape[0] // rows
        first = _close(one[: each * (rows - 1)], other[: each * (rows - 1)])
        strided = _close(one.unflatten(0, (each, rows))[:, :-1], other.unflatten(0, (each, rows))[:, :-1])
        return first or strided
    return None


def _close(one: Tensor, other: Tensor) -> bool:
    return bool(torch.allclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True))
