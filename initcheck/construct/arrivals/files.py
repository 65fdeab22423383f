"""Files of weights that the user's code reads: a state dict is recognised as one of them, or as a part of it, by its memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from initcheck.construct.recording.frames import storage_key
from initcheck.construct.weights.nesting import unwrapped

KEPT = 8
"""So many files are remembered, the last ones."""
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class File:
    """What one file held: shapes by name, and the names by memory. A path is empty for an open file."""

    path: str
    shapes: Mapping[str, tuple[int, ...]]
    memory: Mapping[int, str]

    def left_out(self, state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
        """The tensors of the file that a state dict made from it lacks, under the names that they would have there."""
        pairs = {name: key for key, tensor in state.items() if (name := self.memory.get(storage_key(tensor) or 0)) is not None}
        strip, add = _change(pairs)
        found = {}
        for name, shape in self.shapes.items():
            key = add + name.removeprefix(strip) if name.startswith(strip) else name
            if name not in pairs and key not in state:
                found[key] = shape
        return found


class Files:
    """The files that were read last."""

    def __init__(self) -> None:
        self._read: list[File] = []

    def note(self, source: Any, found: Any) -> None:
        """A file was read; what holds no weights is passed over."""
        tensors = unwrapped(found).tensors
        if len(tensors) < 2:
            return
        path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""
        memory = {key: name for name, tensor in tensors.items() if (key := storage_key(tensor)) is not None}
        self._read.append(File(str(path), {name: tuple(tensor.shape) for name, tensor in tensors.items()}, memory))
        del self._read[:-KEPT]

    def behind(self, state: Mapping[str, torch.Tensor]) -> File | None:
        """The file in whose memory at least half of the tensors lie."""
        for file in reversed(self._read):
            same = sum(file.memory.get(storage_key(tensor) or 0) is not None for tensor in state.values())
            if state and same >= _HALF * len(state):
                return file
        return None


def _change(pairs: Mapping[str, str]) -> tuple[str, str]:
    """What most names had in front in the file, and what stands there now."""
    votes: Counter[tuple[str, str]] = Counter()
    for name, key in pairs.items():
        old, new = name.split("."), key.split(".")
        while old and new and old[-1] == new[-1]:
            old.pop()
            new.pop()
        votes[f"{'.'.join(old)}." if old else "", f"{'.'.join(new)}." if new else ""] += 1
    return votes.most_common(1)[0][0] if votes else ("", "")
