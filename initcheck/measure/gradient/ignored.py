"""Which arguments of the forward pass its results do not depend on: changed one at a time, the results compared bit for bit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Module

Run = Callable[[], Sequence[Tensor]]


def ignored_arguments(arguments: Mapping[str, Sequence[Tensor]], run: Run, seed: int) -> tuple[str, ...]:
    """The arguments of floats only whose change leaves every output as it is; the tensors are as before when this returns or raises.

    A model that draws random numbers gives other outputs anyway, so that nothing is said of it.
    """
    wanted = {name: found for name, found in arguments.items() if found and all(_changeable(tensor) for tensor in found)}
    if not wanted:
        return ()
    with torch.no_grad():
        before = [output.clone() for output in run()]
        ignored = []
        for name, found in wanted.items():
            with _changed(found, seed):
                after = list(run())
            if before and len(after) == len(before) and all(map(_same, before, after)):
                ignored.append(name)
    return tuple(ignored)


def argument_tensors(model: Module, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, list[Tensor]]:
    """The tensors in each argument of the forward pass, by its name, without arguments that hold none.

    Compiled forward passes (TorchScript) show no signature: their positional arguments are numbered from 0.
    """
    try:
        bound: Mapping[str, object] = inspect.signature(model.forward).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {**{str(index): value for index, value in enumerate(args)}, **kwargs}
    found = {name: _tensors(value) for name, value in bound.items()}
    return {name: held for name, held in found.items() if held}


def _tensors(value: object) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for item in items for tensor in _tensors(item)]


def _changeable(tensor: Tensor) -> bool:
    plain = tensor.layout == torch.strided and not tensor.is_inference() and not tensor.is_meta
    return bool(plain and tensor.is_floating_point() and tensor.numel())


def _same(first: Tensor, second: Tensor) -> bool:
    return bool(first.shape == second.shape and torch.equal(first, second))


@contextmanager
def _changed(found: Sequence[Tensor], seed: int) -> Iterator[None]:
    kept = [tensor.detach().clone() for tensor in found]
    generator = torch.Generator().manual_seed(seed)
    try:
        for tensor in found:
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.add_(noise.to(device=tensor.device, dtype=tensor.dtype) * (0.1 + tensor.detach().abs().mean()))
        yield
    finally:
        for tensor, values in zip(found, kept, strict=True):
            tensor.copy_(values)
