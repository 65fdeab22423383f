"""The weights inside a checkpoint: beside them lie optimizers, epochs and settings, and around them up to three dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

DEPTH = 4
"""Dictionaries inside each other that are looked into."""

_PREFERRED = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "module",
    "net",
    "network",
    "weights",
    "params",
    "student",
    "ema_model",
)
_BESIDE = ("optim", "sched", "scaler", "loop", "callback", "ema", "average", "teacher", "rng", "args", "config", "hparam", "hyper")
_WRAPPERS = ("module.", "_orig_mod.", "_forward_module.")
_PROGRESS = ("epoch", "global_step", "step", "iteration", "iter")


@dataclass(slots=True)
class Unwrapped:
    """Tensors by name, and what was said about the way to them."""

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def unwrapped(found: Any) -> Unwrapped:
    """The weights in whatever a file held; no tensors when there are none."""
    result = Unwrapped()
    if isinstance(found, torch.Tensor):
        result.tensors = {"tensor": found}
        return result
    if isinstance(found, (list, tuple)):
        result.tensors = {str(index): value for index, value in enumerate(found) if isinstance(value, torch.Tensor)}
        return result
    if not isinstance(found, Mapping):
        return result
    tensors, where = _inside(found, (), DEPTH)
    if where:
        others = sorted(str(key) for key in found if str(key) != where[0])
        beside = f"; beside it: {', '.join(others[:6])}{' …' if len(others) > 6 else ''}" if others else ""
        result.notes.append(f"read from `{'.'.join(where)}`{beside}")
        result.notes += _progress(found)
    result.tensors, stripped = _without_wrappers(tensors)
    if stripped:
        result.notes.append(f"names without `{stripped}`, which a wrapper put in front")
    return result


def whole_module(found: Any) -> torch.nn.Module | None:
    """The module that a file holds, alone or in a dictionary under a usual name; None for none."""
    if isinstance(found, torch.nn.Module):
        return found
    held = {key: value for key, value in found.items() if isinstance(value, torch.nn.Module)} if isinstance(found, Mapping) else {}
    return next((held[key] for key in (*_PREFERRED, *held) if key in held), None)


def is_optimizer(found: Any) -> bool:
    """Whether this is what `optimizer.state_dict()` gives."""
    return isinstance(found, Mapping) and {"state", "param_groups"} <= set(found)


def _inside(found: Mapping[Any, Any], path: tuple[str, ...], depth: int) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """The tensors of the first dictionary that is a set of weights, and the keys that lead there."""
    own = {str(key): value for key, value in found.items() if isinstance(value, torch.Tensor)}
    inner = {str(key): value for key, value in found.items() if isinstance(value, Mapping) and not is_optimizer(value)}
    if len(own) > 1 or (own and not inner) or not depth:
        return own, path
    reached = {key: _inside(value, (*path, key), depth - 1) for key, value in inner.items()}
    reached = {key: pair for key, pair in reached.items() if pair[0]}
    for wanted in _PREFERRED:
        if wanted in reached:
            return reached[wanted]
    main = {key: pair for key, pair in reached.items() if not any(word in key.lower() for word in _BESIDE)} or reached
    if len(main) == 1:
        return next(iter(main.values()))
    # several networks in one file, as of a generator and its critic
    several = {f"{key}.{name}": tensor for key, (tensors, _) in main.items() for name, tensor in tensors.items()}
    return several or own, path


def _without_wrappers(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], str]:
    stripped = ""
    found = True
    while found:
        found = False
        for prefix in _WRAPPERS:
            if tensors and all(name.startswith(prefix) for name in tensors):
                tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
                stripped, found = stripped + prefix, True
    return tensors, stripped


def _progress(found: Mapping[Any, Any]) -> list[str]:
    """What the checkpoint says about the training that it comes from."""
    said = [f"{key} {found[key]}" for key in _PROGRESS if isinstance(found.get(key), int) and not isinstance(found[key], bool)]
    return [f"saved in training: {', '.join(said)}"] if said else []
