"""Stored tensors by name, each read when it is asked for and let go afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from initcheck.construct.weights.content import damaged
from initcheck.errors import TargetError

_FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "C64")
"""The number formats of safetensors that are read as numbers; integers are counters, masks or packed weights."""


_NAMES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "C64": "complex64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
"""The same as torch calls them."""

_LARGE = 1 << 24
"""Elements up to which an expanded view is read all the same."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored tensor as it stands in the file, whatever it holds: its shape and number format are known before it is read."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], torch.Tensor]


class Tensors(Mapping[str, torch.Tensor]):
    """A mapping that reads; `others` are the names of tensors that hold no weights, and why; `entries` are all that can be read."""

    def __init__(
        self, readers: Mapping[str, Callable[[], torch.Tensor]], others: Mapping[str, str], entries: Mapping[str, Entry] | None = None
    ) -> None:
        self._readers = dict(readers)
        self.others = dict(others)
        self.entries = dict(entries or {})

    def __getitem__(self, name: str) -> torch.Tensor:
        tensor = self._readers[name]()
        # nothing computes in eight bits
        return tensor.float() if tensor.is_floating_point() and tensor.element_size() == 1 else tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


def in_memory(tensors: Mapping[str, torch.Tensor]) -> tuple[Tensors, dict[str, str]]:
    """Tensors that are there (or mapped from their file), and which names share the memory of an earlier one."""
    readers: dict[str, Callable[[], torch.Tensor]] = {}
    others: dict[str, str] = {}
    tied: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    seen: dict[object, str] = {}
    for name, tensor in tensors.items():
        plain = tensor.detach()
        if not (plain.numel() > _LARGE and _claims_more(plain)):
            entries[name] = Entry(tuple(plain.shape), str(plain.dtype).removeprefix("torch."), lambda plain=plain: plain)  # type: ignore[misc]
        if not (plain.is_floating_point() or plain.is_complex()):
            others[name] = _packed(str(plain.dtype).removeprefix("torch."))
            continue
        if plain.numel() > _LARGE and _claims_more(plain):
            others[name] = "a view that claims more elements than the file holds"
            continue
        key = _memory(plain)
        if key is not None and key in seen:
            tied[name] = seen[key]
            continue
        if key is not None:
            seen[key] = name
        readers[name] = lambda plain=plain: plain  # type: ignore[misc]
    return Tensors(readers, others, entries), tied


def from_safetensors(path: str, names: frozenset[str] | None = None) -> Tensors:
    """The tensors of one safetensors file, those of `names` if given.

    Raises:
        TargetError: when the package is missing or the file is damaged.
    """
    file = _opened(path)
    readers: dict[str, Callable[[], torch.Tensor]] = {}
    others: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    present = list(file.keys())
    for name in sorted(names - set(present)) if names is not None else ():
        raise damaged(path, f"its index says that it holds {name}, and it does not")
    for name in present:
        if names is not None and name not in names:
            continue
        part = file.get_slice(name)
        kind = str(part.get_dtype())
        entries[name] = Entry(tuple(part.get_shape()), _NAMES.get(kind, kind.lower()), lambda name=name: file.get_tensor(name))  # type: ignore[misc]
        if kind in _FLOATS:
            readers[name] = lambda name=name: file.get_tensor(name)  # type: ignore[misc]
        else:
            others[name] = _packed(kind.lower())
    return Tensors(readers, others, entries)


def joined(parts: list[Tensors]) -> Tensors:
    """The tensors of several files as one mapping."""
    whole = Tensors({}, {})
    for part in parts:
        whole._readers.update(part._readers)  # noqa: SLF001  (its own class)
        whole.others.update(part.others)
        whole.entries.update(part.entries)
    return whole


def _packed(kind: str) -> str:
    return f"{kind} values are no weights, or packed ones"


def _claims_more(tensor: torch.Tensor) -> bool:
    """Whether a tensor has more elements than its memory: a few bytes of a file could stand for days of work."""
    try:
        return bool(tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes())
    except (RuntimeError, NotImplementedError):
        return False


def _opened(path: str) -> Any:
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError as error:
        raise TargetError(
            f"cannot read {path}: the package safetensors is not installed", "pip install safetensors", name="missing-import"
        ) from error
    try:
        return safe_open(path, framework="pt", device="cpu")
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, f"{type(error).__name__}: {str(error).splitlines()[0][:200]}") from error


def _memory(tensor: torch.Tensor) -> object:
    """What two tensors share that are the same memory seen the same way; None where that cannot be told."""
    try:
        storage = tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return None
    return (storage, tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype) if storage and tensor.numel() else None
