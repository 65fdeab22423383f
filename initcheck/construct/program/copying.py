"""Copies of what a model is called with, and of what the call may change in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch

NUMBERS = 2_500_000
"""Floating-point numbers of an input beyond which only its first rows are used: 16 images of 224 pixels."""
TOKENS = 4096
"""The same for integers, each of which stands for a vector."""
FEWEST = 4
DEPTH = 6
"""Containers within containers that are copied; deeper ones are shared with the program."""


def copied(value: Any, depth: int = DEPTH) -> Any:
    """The same arguments with tensors of their own, cut off from the graph; what cannot be copied is handed on as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.is_leaf and value.requires_grad)
    if depth == 0 or isinstance(value, torch.nn.Module) or callable(value):
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(copied(item, depth - 1) for item in value))
    if type(value) in (list, tuple, set):
        return type(value)(copied(item, depth - 1) for item in value)
    if type(value) is dict:
        return {key: copied(item, depth - 1) for key, item in value.items()}
    return _object(value, depth)


def _object(value: Any, depth: int) -> Any:
    """An object of a class of somebody's own (a batch, a graph): a shallow copy whose members are copied."""
    space = getattr(value, "__dict__", None)
    try:
        twin = copy.copy(value)
        if isinstance(value, dict):
            twin.update({key: copied(item, depth - 1) for key, item in value.items()})
        if isinstance(space, dict):
            twin.__dict__.update({name: copied(item, depth - 1) for name, item in space.items()})
    except Exception:  # noqa: BLE001  (any class may refuse to be copied; the call itself used this very object)
        return value
    return twin


def affordable_rows(*trees: Any) -> tuple[int, int]:
    """The length of the first axis, and how much of it is enough: the measuring takes several passes.

    Both are the same when the tensors do not share their first axis, for then it is no batch.
    """
    tensors = [tensor for tree in trees for tensor in _tensors(tree) if tensor.dim()]
    lengths = {int(tensor.shape[0]) for tensor in tensors}
    if len(lengths) != 1:
        return 0, 0
    rows = lengths.pop()
    shares = [(NUMBERS if tensor.is_floating_point() else TOKENS) / max(tensor.numel(), 1) for tensor in tensors]
    return rows, rows if min(shares) >= 1 else min(rows, max(FEWEST, int(rows * min(shares))))


def first_rows(tree: Any, rows: int, few: int) -> Any:
    """The same arguments with the first `few` of `rows` entries of every tensor."""
    if isinstance(tree, torch.Tensor):
        whole = not tree.dim() or tree.shape[0] != rows
        return tree if whole else tree.detach()[:few].clone().requires_grad_(tree.requires_grad)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(first_rows(item, rows, few) for item in tree))
    if type(tree) in (list, tuple):
        return type(tree)(first_rows(item, rows, few) for item in tree)
    return {key: first_rows(item, rows, few) for key, item in tree.items()} if type(tree) is dict else tree


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, (list, tuple, dict)):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _tensors(item)


class State:
    """What a forward pass may change in a model: buffers, and attributes that hold tensors."""

    def __init__(self, model: torch.nn.Module) -> None:
        modules = [one for one in model.modules() if not isinstance(one, (torch.jit.ScriptModule, torch.nn.modules.lazy.LazyModuleMixin))]
        self._attributes = [(module, dict(module.__dict__)) for module in modules]
        self._buffers = [
            (module, name, buffer, buffer.detach().clone())
            for module in modules
            for name, buffer in module._buffers.items()  # noqa: SLF001
            if buffer is not None and not buffer.is_meta
        ]

    def restore(self) -> None:
        """Everything as it was when this was made."""
        for module, name, buffer, values in self._buffers:
            _give_back(buffer, values)
            module._buffers[name] = buffer  # noqa: SLF001
        for module, before in self._attributes:
            now = module.__dict__
            for name in [name for name in now if name not in before and _may_hold_tensors(now[name])]:
                del now[name]
            now.update({name: value for name, value in before.items() if now.get(name, before) is not value and _may_hold_tensors(value)})


class Weights:
    """The values of all parameters of a model."""

    def __init__(self, model: torch.nn.Module) -> None:
        real = [parameter for parameter in model.parameters() if not torch.nn.parameter.is_lazy(parameter)]
        self._values = [(parameter, parameter.detach().clone()) for parameter in real]

    def restore(self) -> None:
        """All values as they were when this was made."""
        for parameter, values in self._values:
            _give_back(parameter, values)


def _give_back(tensor: torch.Tensor, values: torch.Tensor) -> None:
    with torch.no_grad():
        if tensor.shape == values.shape and not torch.equal(tensor, values):
            tensor.detach().copy_(values)


def _may_hold_tensors(value: object) -> bool:
    return isinstance(value, (torch.Tensor, list, tuple, dict)) or value is None
