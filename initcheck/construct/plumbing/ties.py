"""Parameters that were one once: compares the places where a memory was registered with the model as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch

from initcheck.construct.plumbing.registrations import Moved
from initcheck.construct.recording.frames import location, storage_key
from initcheck.construct.recording.history import Home, Slot, region_of
from initcheck.records.recording import Untied


def untied(model: torch.nn.Module, slots: Iterable[Slot], moved: Sequence[Moved]) -> Iterator[Untied]:
    """Pairs of parameters of the model that shared their memory and do not any more, although their shapes would allow it."""
    paths = {id(module): path for path, module in model.named_modules()}
    parameters = dict(model.named_parameters(remove_duplicate=False))
    said: set[tuple[str, str]] = set()
    for slot in slots:
        places = [(name, home) for home in slot.homes if (name := _path(home, paths)) in parameters]
        for name, home in places[1:]:
            first, original = places[0]
            if home.region == original.region and _apart(parameters[first], parameters[name]) and (first, name) not in said:
                said.add((first, name))
                yield Untied(first, name, location(home.spot), location(slot.replaced))
        for move in moved:
            parent = move.parent()
            if move.slot is slot and parent is not None and id(parent) in paths and places:
                name = _joined(paths[id(parent)], move.name)
                first, home = places[0]
                if name in parameters and name != first and _apart(parameters[first], parameters[name]) and (first, name) not in said:
                    said.add((first, name))
                    yield Untied(first, name, location(slot.homes[-1].spot), location(move.spot))
    yield from _declared(model, parameters, said)


def _declared(model: torch.nn.Module, parameters: Mapping[str, torch.Tensor], said: set[tuple[str, str]]) -> Iterator[Untied]:
    """What transformers keeps as `all_tied_weights_keys`: every pair that the configuration ties, target first."""
    pairs: Any = getattr(model, "all_tied_weights_keys", None)
    if not isinstance(pairs, Mapping):
        return
    for target, source in pairs.items():
        present = target in parameters and source in parameters and not {(source, target), (target, source)} & said
        if present and _apart(parameters[source], parameters[target]):
            yield Untied(source, target, declared=True)


def _path(home: Home, paths: Mapping[int, str]) -> str:
    module = home.module()
    return _joined(paths[id(module)], home.name) if module is not None and id(module) in paths else ""


def _apart(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors of one shape lie in different memory."""
    if one is other or tuple(one.shape) != tuple(other.shape) or not one.numel():
        return False
    keys = storage_key(one), storage_key(other)
    return None not in keys and (keys[0] != keys[1] or region_of(one) != region_of(other))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
