"""The adapter for a model: the first entry on which it runs and gives something that can be read as classes, else random targets."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from initcheck.construct.inputs import Guess
from initcheck.errors import InitcheckError, TargetError
from initcheck.trace.session import preserved
from initcheck.verify.adapters.adapted import Digits, RandomTargets, arguments
from initcheck.verify.adapters.entry import Entry
from initcheck.verify.adapters.own_input import Given, Place, carriers, own_input
from initcheck.verify.adapters.readout import floats, readouts

Adapter = Digits | RandomTargets

_SIZES = (5, 3)
"""Two batches on which an entry is tried: what changes with them is the axis of the batch."""

_TOKENS = (7, 10, 14, 5, 4)
"""Edges of the images whose pixels become tokens."""


def adapter(model: nn.Module, given: Given, images: Tensor, classes: int) -> Adapter:
    """How digits get in and classes out; the model is left as it was.

    Args:
        model: float32, on the CPU.
        given: what is known of its input.
        images: [N, 1, height, width] between 0 and 1, at least five of them.
        classes: the number of classes.

    Raises:
        TargetError: when the model does not run, or no output depends on a parameter.
    """
    with preserved(model):
        guess = own_input(model, given)
        with guess.prepare():
            found = _digits(model, guess, images, classes)
            return found if found is not None else _random_targets(model, guess)


def _digits(model: nn.Module, guess: Guess, images: Tensor, classes: int) -> Digits | None:
    source = (int(images.shape[-2]), int(images.shape[-1]))
    for place, value, axis in carriers(guess):
        for entry in _entries(model, value, axis, source, inferred=guess.inferred):
            try:
                large, small = (_run(model, guess, place, entry, images[:count]) for count in _SIZES)
            except InitcheckError:
                raise
            except Exception:  # noqa: BLE001, S112  (the user's forward may raise anything on an input that does not fit; the next is tried)
                continue
            for readout in readouts(large, small, _SIZES, classes):
                others = _others(guess, place)
                told = (entry.told(source), *others, *readout.told(classes))
                return Digits(guess, place, entry, readout, classes, told)
    return None


def _run(model: nn.Module, guess: Guess, place: Place, entry: Entry, images: Tensor) -> object:
    args, kwargs = arguments(guess, len(images), {place: entry.of(images)})
    return model(*args, **kwargs)


def _entries(model: nn.Module, value: Tensor, axis: int, source: tuple[int, int], *, inferred: bool) -> Iterator[Entry]:
    """The entries for an argument like this one, the most natural first; the sizes of an inferred one may be the digits' own."""
    shape = tuple(size for index, size in enumerate(value.shape) if index != axis)
    dtype = value.dtype
    if not dtype.is_floating_point:
        yield from _token_entries(model, value, axis, shape[0], inferred=inferred)
    elif len(shape) == 1:
        yield Entry("pixels", shape, axis, dtype=dtype)
    elif len(shape) == 2:
        yield from _sequence_entries(model, shape, axis, dtype, source, inferred=inferred)
    elif len(shape) == 3:
        if inferred:
            yield Entry("image", (shape[0], *source), axis, dtype=dtype)
            yield Entry("image", (shape[0], 32, 32), axis, dtype=dtype)
        yield Entry("image", shape, axis, dtype=dtype)
    else:
        yield Entry("volume", shape, axis, dtype=dtype)


def _sequence_entries(
    model: nn.Module, shape: tuple[int, ...], axis: int, dtype: torch.dtype, source: tuple[int, int], *, inferred: bool
) -> Iterator[Entry]:
    first = next((module for module in model.modules() if next(module.parameters(recurse=False), None) is not None), None)
    if isinstance(first, nn.Conv1d):
        length = math.prod(source) if inferred else shape[1]
        yield Entry("signal", (shape[0], length), axis, dtype=dtype)
        yield Entry("signal", shape, axis, dtype=dtype)
        return
    length, width = shape
    edge = math.isqrt(width)
    recurrent = any(isinstance(module, (nn.RNNBase, nn.RNNCellBase)) for module in model.modules())
    if edge * edge == width and edge > 2 and not recurrent:
        grid = max(2, source[0] // edge)
        yield from (Entry("patches", (many, width), axis, dtype=dtype) for many in (grid * grid,) if inferred)
        if math.isqrt(length) ** 2 == length:
            yield Entry("patches", shape, axis, dtype=dtype)
    if inferred:
        yield Entry("rows", (source[0], width), axis, dtype=dtype)
    yield Entry("rows", shape, axis, dtype=dtype)


def _token_entries(model: nn.Module, value: Tensor, axis: int, length: int, *, inferred: bool) -> Iterator[Entry]:
    tables = [module.num_embeddings for module in model.modules() if isinstance(module, nn.Embedding)]
    levels = tables[0] if tables else int(value.max()) + 1
    if levels < 2:
        return
    if inferred:
        yield from (Entry("tokens", (edge * edge,), axis, levels, value.dtype) for edge in _TOKENS)
    yield Entry("tokens", (length,), axis, levels, value.dtype)


def _others(guess: Guess, place: Place) -> tuple[str, ...]:
    named = [*enumerate(guess.args), *guess.kwargs.items()]
    names = [guess.arguments[key] if isinstance(key, int) and key < len(guess.arguments) else str(key) for key, value in named
             if key != place and isinstance(value, Tensor)]  # fmt: skip
    return (f"the same {', '.join(names)} for every digit",) if names else ()


def _random_targets(model: nn.Module, guess: Guess) -> RandomTargets:
    results = floats(model(*guess.args, **guess.kwargs))
    places = tuple(place for place, result in enumerate(results) if result.requires_grad and result.numel() and not result.is_complex())
    if not places:
        name = type(model).__name__
        hint = "return the outputs themselves: no detach(), no argmax(), no torch.no_grad() around the forward pass"
        raise TargetError(f"no output of {name} depends on a weight that can be trained", hint, name="nothing-to-train")
    generator = torch.Generator().manual_seed(0)
    targets = tuple(torch.randn(results[place].shape, generator=generator) for place in places)
    shapes = ", ".join("×".join(map(str, target.shape)) or "1" for target in targets)
    told = (
        "no honest way was found to put digits into this model and ten classes behind it",
        f"it is trained on its own input {guess.summary.text} towards fixed random targets [{shapes}]",
        "this shows how well it can be fitted, not how it generalises",
    )
    return RandomTargets(guess, targets, places, told)
