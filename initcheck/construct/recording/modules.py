"""Which class each module of a model is of, and where that class is written."""

from __future__ import annotations

import sys

import torch
from torch import nn

from initcheck.construct.recording.frames import TORCH
from initcheck.records.report import STARTS, ModuleRecord


def modules_of(model: nn.Module) -> tuple[ModuleRecord, ...]:
    """One record for each module, in the order of `named_modules()`."""
    return tuple(_record(path, type(module)) for path, module in model.named_modules())


def _record(path: str, kind: type[nn.Module]) -> ModuleRecord:
    kinds = tuple(base.__name__ for base in kind.__mro__ if base is not nn.Module and getattr(nn, base.__name__, None) is base)
    own = (kind.__name__,) if not _of_torch(kind) else ()
    file = "" if _of_torch(kind) else _file(kind)
    starts = tuple(name for name in STARTS if callable(getattr(kind, name, None))) if file else ()
    return ModuleRecord(path, (*own, *kinds), file, kind.__qualname__ if file else "", starts)


def _of_torch(kind: type) -> bool:
    return _file(kind).startswith(TORCH) or _module(kind).split(".")[0] == torch.__name__


def _file(kind: type) -> str:
    return str(getattr(sys.modules.get(_module(kind)), "__file__", None) or "")


def _module(kind: type) -> str:
    return str(kind.__module__)  # a class may say anything there
