"""Why a forward pass failed: the layer, what it wanted and got, and the user's own line."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import nn
from torch.nn import Module

_LIBRARIES = (str(Path(torch.__file__).parent), str(Path(__file__).parents[2]))
_NO_DATA = (AttributeError, NameError, ImportError, NotImplementedError, KeyError, ZeroDivisionError, UnicodeError, OSError)
"""Errors that no other input would mend."""

_MATRICES = re.compile(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)")
_CHANNELS = re.compile(r"expected input\[([\d, ]+)\] to have (\d+) channels, but got (\d+) channels")
_NORMALIZED = re.compile(r"expected input with shape \[\*, ([\d, ]+)\], but got input of size\s*\[([\d, ]+)\]")
_STEPS = re.compile(r"input\.size\(-1\) must be equal to input_size\. Expected (\d+), got (\d+)")
_STATISTICS = re.compile(r"running_mean should contain (\d+) elements not (\d+)")
_RESHAPE = re.compile(r"shape '\[-?\d+, (\d+)\]' is invalid for input of size (\d+)")
_RANK = re.compile(r"Expected (.*?D .*?) input to (\w+), but got input of size: \[([\d, ]+)\]")


@dataclass(frozen=True, slots=True)
class Blame:
    """One failed run. `wanted` and `got` are feature counts (0: not recognised); `mends` says that another input might run."""

    module: str
    kind: str
    text: str
    where: str
    sentence: str = ""
    wanted: int = 0
    got: float = 0.0
    mends: bool = True
    hint: str = ""


def blame(model: Module, error: BaseException, batch: int) -> Blame:
    """Reads an exception of the user's forward; keeps nothing of its frames."""
    cause = getattr(error, "cause", None)
    cause = cause if isinstance(cause, BaseException) else error
    module, owner = _failing(model, cause.__traceback__)
    named = getattr(error, "module", None)
    if owner is None and isinstance(named, str):
        module = named
        owner = dict(model.named_modules()).get(module)
    kind = type(owner).__name__ if owner is not None else type(model).__name__
    line = str(cause).strip().splitlines()
    text = f"{type(cause).__name__}: {line[0]}" if line else type(cause).__name__
    sentence, wanted, got, hint = _mismatch(str(cause), module or kind, kind, owner, batch)
    mends = not isinstance(cause, _NO_DATA) and not (isinstance(cause, TypeError) and not _about_types(str(cause)))
    return Blame(module, kind, text, _where(cause.__traceback__), sentence, wanted, got, mends, hint)


def _about_types(text: str) -> bool:
    """Type errors that depend on what kind of tensors came in, or how many."""
    return any(word in text for word in ("Tensor", "argument", "unpack", "dtype", "indices"))


def _failing(model: Module, frames: TracebackType | None) -> tuple[str, Module | None]:
    """The innermost module of the model whose method was running."""
    names = {id(module): name for name, module in model.named_modules()}
    found: tuple[str, Module | None] = ("", None)
    for frame, _ in traceback.walk_tb(frames):
        owner = frame.f_locals.get("self")
        if isinstance(owner, Module) and id(owner) in names:
            found = names[id(owner)], owner
    return found


def _where(frames: TracebackType | None) -> str:
    """File and line of the innermost frame of the user's own code."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(frames)]
    own = [place for place in places if not place[0].startswith(_LIBRARIES) and not place[0].startswith("<frozen")]
    user = [place for place in own if "site-packages" not in place[0]] or own
    return f"{_short(user[-1][0])}:{user[-1][1]}" if user else ""


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _mismatch(text: str, name: str, kind: str, owner: Module | None, batch: int) -> tuple[str, int, float, str]:
    """A sentence about wanted and got sizes, both sizes, and something to try."""
    layer = f"{name} ({kind})" if name != kind else kind
    if match := _MATRICES.search(text):
        got, wanted = int(match[2]), int(match[3])
        return f"{layer} wants last dimension {wanted}, got {got}", wanted, got, f"Try --input {wanted}"
    if match := _STEPS.search(text):
        return f"{layer} wants last dimension {match[1]}, got {match[2]}", 0, 0.0, f"Try --input 16,{match[1]}"
    if match := _NORMALIZED.search(text):
        return f"{layer} wants last dimensions {match[1]}, got shape {match[2]}", 0, 0.0, f"Try --input {match[1].replace(' ', '')}"
    if match := _CHANNELS.search(text):
        return f"{layer} wants {match[2]} channels, got {match[3]}", 0, 0.0, f"Try --input {match[2]},64,64"
    if match := _STATISTICS.search(text):
        return f"{layer} wants {match[2]} features, got {match[1]}", 0, 0.0, ""
    if match := _RESHAPE.search(text):
        wanted, got_each = int(match[1]), int(match[2]) / max(batch, 1)
        return f"{layer} reshapes to {wanted} features, got {got_each:g} per sample", wanted, got_each, ""
    if match := _RANK.search(text):
        return f"{layer} wants {match[1]} input, got shape {match[3]}", 0, 0.0, ""
    if isinstance(owner, nn.Embedding):
        return f"{layer} wants integers below {owner.num_embeddings}", 0, 0.0, f"Try --input 'int64[8,16]<{owner.num_embeddings}'"
    return "", 0, 0.0, ""


def input_sizes(value: Any) -> int:
    """The edge length of square images, 0 for other data."""
    if isinstance(value, torch.Tensor) and value.dim() == 4 and value.shape[-1] == value.shape[-2]:
        return int(value.shape[-1])
    return 0
