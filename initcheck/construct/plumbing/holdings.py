"""The tensors that modules hold without registering them as parameters: buffers, plain attributes, and what plain lists hide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn.parameter import is_lazy

from initcheck.construct.recording.frames import storage_key

MEMBERS = 256
"""Most members of a plain container that are looked at."""
OWN_NAMES = frozenset(vars(torch.nn.Module()))


@dataclass(frozen=True, slots=True)
class Held:
    """One such tensor with the path of the module that holds it and that module's class."""

    name: str
    kind: Literal["buffer", "attribute", "hidden"]
    tensor: torch.Tensor
    module: str
    owner: str
    persistent: bool = False


def held(model: torch.nn.Module) -> list[Held]:
    """Float buffers, and float tensors of at least two elements in attributes of modules or in lists, tuples and dictionaries there.

    Left out is what shares its memory with a parameter or a buffer, and what is recomputed from parameters before each pass.
    """
    found: list[Held] = []
    taken = {storage_key(parameter) for parameter in model.parameters()}
    for path, module in model.named_modules():
        for name, buffer in module.named_buffers(recurse=False):
            key = _key(buffer)
            if key is not None and key not in taken:
                taken.add(key)
                kept = name not in module._non_persistent_buffers_set  # noqa: SLF001
                found.append(Held(_joined(path, name), "buffer", buffer, path, type(module).__name__, kept))
    for path, module in model.named_modules():
        for name, tensor, hidden in _plain(module):
            key = _key(tensor)
            if key is not None and key not in taken and tensor.numel() > 1 and tensor.is_leaf:
                taken.add(key)
                found.append(Held(_joined(path, name), "hidden" if hidden else "attribute", tensor, path, type(module).__name__))
    return found


def recomputed(model: torch.nn.Module) -> set[int]:
    """The memory of attributes that hooks compute anew before each pass (`weight` beside `weight_v` or `weight_orig`)."""
    keys: set[int] = set()
    for module in model.modules():
        for name, value in vars(module).items():
            if not isinstance(value, torch.Tensor) or value.is_leaf:
                continue
            key = storage_key(value)
            if key is not None and any(f"{name}{suffix}" in module._parameters for suffix in ("_v", "_orig")):  # noqa: SLF001
                keys.add(key)
    return keys


def _key(tensor: torch.Tensor) -> int | None:
    if is_lazy(tensor) or not tensor.is_floating_point() or not tensor.numel():
        return None
    return storage_key(tensor)


def _plain(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor, bool]]:
    """Name, tensor, and whether it belongs to a module that is itself hidden in an attribute."""
    for name, value in vars(module).items():
        if name in OWN_NAMES:
            continue
        for suffix, item in _items(value):
            if isinstance(item, torch.Tensor):
                yield f"{name}{suffix}", item, False
            elif isinstance(item, torch.nn.Module) and item is not module:
                yield from ((f"{name}{suffix}.{inner}", parameter, True) for inner, parameter in item.named_parameters())


def _items(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (torch.Tensor, torch.nn.Module)):
        yield "", value
    elif depth < 2 and type(value) in (list, tuple):
        for index, item in enumerate(value[:MEMBERS]):
            yield from ((f"[{index}]{rest}", inner) for rest, inner in _items(item, depth + 1))
    elif depth < 2 and isinstance(value, Mapping) and len(value) <= MEMBERS:
        for key in list(value):
            yield from ((f"[{key!r}]{rest}", inner) for rest, inner in _items(value[key], depth + 1))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
