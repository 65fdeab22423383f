"""Noise in the place of sample inputs that are the same everywhere, which say nothing about the signal but its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from initcheck.construct.inputs.samples import Guess


def lively(guesses: Iterator[Guess], seed: int) -> Iterator[Guess]:
    """The guesses; before one whose floats are all constant comes the same with noise in their place, which is said.

    Zeros become standard normal numbers, another constant c uniform numbers between 0 and 2 c.
    """
    for guess in guesses:
        floats = [one for value in (*guess.args, *guess.kwargs.values()) for one in _floats(value)]
        if floats and all(_constant(one) for one in floats):
            generator = torch.Generator().manual_seed(seed)
            value = float(floats[0].flatten()[0])
            remark = f"the sample input is {value:g} everywhere: noise of its shape was sent through the model in its place"
            args = tuple(_drawn(value, generator) for value in guess.args)
            kwargs = {name: _drawn(value, generator) for name, value in guess.kwargs.items()}
            told = "; ".join(part for part in (guess.remark, remark) if part)
            summary = replace(guess.summary, origin=f"{guess.summary.origin}, {value:g} everywhere: noise in its place")
            yield replace(guess, args=args, kwargs=kwargs, remark=told, summary=summary)
        yield guess


def _floats(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _floats(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _floats(item)


def _constant(tensor: Tensor) -> bool:
    plain = tensor.layout == torch.strided and not tensor.is_meta
    return plain and tensor.numel() > 1 and bool((tensor == tensor.flatten()[0]).all())


def _drawn(value: Any, generator: torch.Generator) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        level = float(value.flatten()[0])
        drawn = torch.empty(value.shape)
        drawn = drawn.normal_(generator=generator) if level == 0 else drawn.uniform_(0, 2, generator=generator) * level
        return drawn.to(device=value.device, dtype=value.dtype)
    if type(value) in (list, tuple, dict):
        if isinstance(value, dict):
            return {name: _drawn(item, generator) for name, item in value.items()}
        return type(value)(_drawn(item, generator) for item in value)
    return value
