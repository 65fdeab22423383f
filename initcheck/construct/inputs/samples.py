"""Sample tensors as forms (dtype, shape, range) that are drawn only when they are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.records.target import InputSummary

DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "float64": torch.float64,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
    "int64": torch.int64,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
    "float": torch.float32,
    "double": torch.float64,
    "half": torch.float16,
    "long": torch.int64,
    "int": torch.int32,
}
"""The dtypes that an input may have, by the names users type."""

_NAMES = {dtype: name for name, dtype in reversed(DTYPES.items())}


@dataclass(frozen=True, slots=True)
class Form:
    """A tensor to be drawn: standard normal floats, integers in [0, below), or `fill` everywhere.

    `columns` bounds the integers for each position of the last axis, where every column has a table of its own. Floats are drawn `scale`
    times as large, where the model divides by as much.
    """

    shape: tuple[int, ...]
    dtype: str = "float"
    below: int = 2
    fill: float | None = None
    columns: tuple[int, ...] = ()
    scale: float = 1.0


Tree: TypeAlias = Any
"""A form, a plain value that is passed as it stands, or tuples, lists and dictionaries of these."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One input to try.

    `prepare` opens a context in which the model accepts it (image sizes of detectors); keep it open for every run.
    `inferred` says that the sizes are ours and may be changed; an input that somebody gave (`given`) is never replaced. `forms` and
    `named` are the arguments before they were drawn, empty for those that were not; `arguments` are their names. `shown` says that the
    source has it for some model, perhaps for another one. `remark` is what the reader must know about it.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    summary: InputSummary
    prepare: Callable[[], AbstractContextManager[None]] = field(default=nullcontext)
    inferred: bool = False
    forms: tuple[Tree, ...] = ()
    named: dict[str, Tree] = field(default_factory=dict)
    remark: str = ""
    given: bool = False
    shown: bool = False
    arguments: tuple[str, ...] = ()


class Fields(dict[str, Any]):
    """Named tensors that are read as attributes or as items, in the manner of the data objects of graph libraries."""

    def __getattr__(self, name: str) -> Any:
        """The tensor of that name."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}") from None

    def to(self, *_: Any, **__: Any) -> Fields:
        """Itself: the tensors are already where the model is."""
        return self


class Drawer:
    """Draws forms from a generator of its own, in the precision and on the device of a model (float32 on the CPU without one)."""

    def __init__(self, seed: int, model: Module | None = None) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        parameters = () if model is None else model.parameters()
        first = next((p for p in parameters if p.is_floating_point() and p.device.type != "meta"), None)
        self._float = torch.float32 if first is None else first.dtype
        self._device = torch.device("cpu") if first is None else first.device

    def draw(self, tree: Tree) -> Any:
        """The tree with a tensor in the place of each form."""
        if isinstance(tree, Form):
            return self._tensor(tree)
        if isinstance(tree, dict):
            return type(tree)({key: self.draw(value) for key, value in tree.items()})
        if isinstance(tree, (list, tuple)):
            return type(tree)(self.draw(value) for value in tree)
        return tree

    def _tensor(self, form: Form) -> Tensor:
        dtype = self._float if form.dtype == "float" else DTYPES[form.dtype]
        if form.fill is not None:
            return torch.full(form.shape, form.fill, dtype=dtype, device=self._device)
        if dtype.is_floating_point or dtype.is_complex:
            drawn = dtype if dtype.is_complex or dtype is torch.float64 else torch.float32
            normal = torch.randn(form.shape, generator=self._generator, dtype=drawn) * form.scale
            return normal.to(device=self._device, dtype=dtype)
        if form.columns:
            drawn_columns = [torch.randint(max(below, 1), form.shape[:-1], generator=self._generator) for below in form.columns]
            return torch.stack(drawn_columns, -1).to(device=self._device, dtype=dtype)
        below = 2 if dtype is torch.bool else max(form.below, 1)
        return torch.randint(below, form.shape, generator=self._generator).to(device=self._device, dtype=dtype)


def describe(args: tuple[Any, ...], kwargs: Mapping[str, Any], origin: str, batch: int = 0) -> InputSummary:
    """What is shown on the `input` line; `batch` 0 stands for the first axis of the first tensor."""
    parts = [_text(value) for value in args] + [f"{name}={_text(value)}" for name, value in kwargs.items() if not _is_plain(value)]
    found = batch or next((size for value in (*args, *kwargs.values()) if (size := _first_axis(value))), 0)
    return InputSummary(text=", ".join(parts) or "no arguments", origin=origin, batch=found)


def dtype_name(dtype: torch.dtype) -> str:
    """The name that users type."""
    return _NAMES.get(dtype, str(dtype).removeprefix("torch."))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _text(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{dtype_name(value.dtype)}[{','.join(map(str, value.shape))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        texts = [_text(item) for item in value]
        return f"{len(texts)} × {texts[0]}" if len(set(texts)) == 1 and len(texts) > 1 else f"({', '.join(texts)})"
    return repr(value) if _is_plain(value) else type(value).__name__


def _first_axis(value: Any) -> int:
    if isinstance(value, Tensor):
        return int(value.shape[0]) if value.dim() else 0
    if isinstance(value, Mapping):
        return next((size for item in value.values() if (size := _first_axis(item))), 0)
    if isinstance(value, (list, tuple)):
        return len(value) if len(value) > 1 else next((_first_axis(item) for item in value), 0)
    return 0
