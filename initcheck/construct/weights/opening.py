"""From the path of stored weights to their tensors, or to a whole module that somebody pickled and the user trusts."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch

from initcheck.construct.blame import explained
from initcheck.construct.guard import guarded
from initcheck.construct.weights.archive import opened
from initcheck.construct.weights.content import content_of, damaged
from initcheck.construct.weights.nesting import is_optimizer, unwrapped, whole_module
from initcheck.construct.weights.parts import parts_of
from initcheck.construct.weights.tensors import Tensors, from_safetensors, in_memory, joined
from initcheck.errors import TargetError
from initcheck.records.target import Target

_INDEX = ".index.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file held: weights, or a whole module. `tied` are names whose memory is that of an earlier name."""

    tensors: Tensors
    tied: dict[str, str]
    notes: tuple[str, ...] = ()
    module: torch.nn.Module | None = None


def open_weights(target: Target, *, trusted: bool = False) -> Stored:
    """Opens a file of weights, or an index of several. Nothing in the file is executed unless it is trusted.

    Raises:
        TargetError: `damaged`, `unsafe-pickle`, `no-weights` or `file-missing`.
    """
    path = target.path
    stored = _sharded(target, path, trusted=trusted) if path.endswith(_INDEX) else _single(target, path, trusted=trusted)
    if stored.module is None and not stored.tensors:
        raise _without_weights(path, stored)
    return stored


def _single(target: Target, path: str, *, trusted: bool) -> Stored:
    content = content_of(path)
    if content == "safetensors":
        return Stored(from_safetensors(path), {})
    with explained(target), guarded(path, trust_pickle=True) if trusted else nullcontext():
        found = opened(path, archive=content == "archive", trusted=trusted)
    module = whole_module(found)
    if module is not None:
        return Stored(Tensors({}, {}), {}, ("a pickled module, opened because you trust it",), module)
    held = unwrapped(found)
    if not held.tensors:
        what = "it is the state of an optimizer" if is_optimizer(found) else f"it is a {type(found).__name__} without tensors"
        raise TargetError(f"{path} holds no weights: {what}", "name the file that holds model.state_dict()", name="no-weights")
    tensors, tied = in_memory(held.tensors)
    return Stored(tensors, tied, tuple(held.notes))


def _sharded(target: Target, path: str, *, trusted: bool) -> Stored:
    where = parts_of(path)
    parts: list[Tensors] = []
    tied: dict[str, str] = {}
    for file in dict.fromkeys(where.values()):
        names = frozenset(name for name, part in where.items() if part == file)
        if content_of(file) == "safetensors":
            parts.append(from_safetensors(file, names))
            continue
        stored = _single(target, file, trusted=trusted)
        missing = sorted(names - {*stored.tensors, *stored.tensors.others, *stored.tied})
        if missing:
            raise damaged(file, f"the index says that it holds {missing[0]}, and it does not")
        parts.append(stored.tensors)
        tied |= stored.tied
    return Stored(joined(parts), tied, (f"in {len(parts)} parts",))


def _without_weights(path: str, stored: Stored) -> TargetError:
    reasons = sorted(set(stored.tensors.others.values()))
    what = "; ".join(reasons[:3]) or "it holds no tensors"
    return TargetError(f"{path} holds no weights: {what}", "name the file that holds model.state_dict()", name="no-weights")
