"""Files of weights, opened to change some tensors and leave every other byte of their contents as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from initcheck.construct.weights.archive import opened
from initcheck.construct.weights.content import content_of, damaged
from initcheck.construct.weights.nesting import unwrapped, whole_module
from initcheck.errors import TargetError, UsageError
from initcheck.files import beside
from initcheck.fix.module.applying import raw

SAFETENSORS = ".safetensors"
_INDEX = ".index.json"


@dataclass(slots=True)
class Held:
    """What a file held, all in memory.

    content: `safetensors`, `archive` or `pickle` (the older format of torch). whole: what the file holds, with everything that lies beside
    the weights. tensors: the weights by the names that a model knows; they are the very tensors in `whole`, so that what is written into one is saved.
    """

    content: str
    whole: Any
    tensors: dict[str, torch.Tensor]
    notes: tuple[str, ...] = ()
    metadata: dict[str, str] | None = None
    path: str = ""

    def every(self) -> dict[str, torch.Tensor]:
        """All tensors of the file, wherever they lie, by the keys that lead to them."""
        return dict(_walk(self.whole, ""))


def held(path: str) -> Held:
    """Reads a file of weights. Nothing in it is executed.

    Raises:
        TargetError: when it cannot be read, holds no weights, or could run code when opened.
    """
    if path.endswith(_INDEX):
        raise UsageError(f"{path} is an index of several files", "name the file that holds the weight to be mended")
    content = content_of(path)
    if content == "safetensors":
        return _safetensors(path)
    found = opened(path, archive=False, trusted=False)
    if whole_module(found) is not None:
        raise TargetError(f"{path} holds a pickled module", "save model.state_dict() and name that file", name="unsafe-pickle")
    inner = unwrapped(found)
    if not inner.tensors:
        raise TargetError(f"{path} holds no weights", "name the file that holds model.state_dict()", name="no-weights")
    return Held(content, found, inner.tensors, tuple(inner.notes), path=path)


def check_out(source: str, out: str) -> None:
    """Refuses an output that could not be read back as what it is.

    Raises:
        UsageError: for an ending of the other format, or a folder that does not exist.
    """
    if (content_of(source) == "safetensors") != out.endswith(SAFETENSORS):
        ending = SAFETENSORS if content_of(source) == "safetensors" else Path(source).suffix or ".pt"
        raise UsageError(f"{out} does not end as the format of {source} does", f"-o {Path(out).stem}{ending}")
    if not Path(out).absolute().parent.is_dir():
        raise UsageError(f"there is no folder {Path(out).absolute().parent}", f"mkdir -p {Path(out).absolute().parent}")


def write(one: Held, out: str, changed: Iterable[str]) -> str:
    """Writes the file anew under another name (or its own), all or nothing.

    The new file is read back and compared before it takes its place: every tensor but the changed ones has the bytes that it had.

    Returns:
        SHA-256 over the names and bytes of all tensors that were not to change.

    Raises:
        TargetError: when what was read back differs; nothing is left behind.
    """
    keep = set(changed)
    wanted = digest(held(one.path).every(), keep)
    with beside(Path(out)) as new:
        _save(one, new)
        return _same_but_for(new, keep, wanted)


def digest(tensors: Mapping[str, torch.Tensor], without: Iterable[str] = ()) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    left = set(without)
    found = hashlib.sha256()
    for name in sorted(tensors):
        if name not in left:
            tensor = tensors[name]
            found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            found.update(raw(tensor) if tensor.layout == torch.strided and not tensor.is_quantized else repr(tensor).encode())
    return found.hexdigest()


def keys_of(one: Held, names: Iterable[str]) -> tuple[str, ...]:
    """Where in the file the weights of these names lie; a tied memory is found under all of its keys."""
    memory = {_memory(one.tensors[name]) for name in names}
    return tuple(key for key, tensor in one.every().items() if _memory(tensor) in memory)


def _same_but_for(written: Path, changed: set[str], wanted: str) -> str:
    reached = digest(held(str(written)).every(), changed)
    if reached != wanted:
        raise damaged(str(written), "what was written differs from what was read")
    return reached


def _safetensors(path: str) -> Held:
    try:
        from safetensors import SafetensorError, safe_open
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise TargetError(
            f"cannot read {path}: the package safetensors is not installed", "pip install safetensors", name="missing-import"
        ) from error
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata()
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, f"{type(error).__name__}: {str(error).splitlines()[0][:200]}") from error
    if not tensors:
        raise TargetError(f"{path} holds no weights", "name the file that holds model.state_dict()", name="no-weights")
    inner = unwrapped(tensors)
    return Held("safetensors", tensors, inner.tensors, tuple(inner.notes), metadata, path)


def _save(one: Held, path: Path) -> None:
    if one.content == "safetensors":
        from safetensors.torch import save_file

        save_file(one.whole, str(path), metadata=one.metadata)
        return
    torch.save(one.whole, path, _use_new_zipfile_serialization=one.content == "archive")


def _walk(found: Any, prefix: str) -> Iterable[tuple[str, torch.Tensor]]:
    if isinstance(found, torch.Tensor):
        yield prefix, found
    elif isinstance(found, Mapping):
        for key, value in found.items():
            yield from _walk(value, f"{prefix}/{key}" if prefix else str(key))
    elif isinstance(found, (list, tuple)):
        for index, value in enumerate(found):
            yield from _walk(value, f"{prefix}/{index}")


def _memory(tensor: torch.Tensor) -> tuple[int, int, tuple[int, ...]]:
    return tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tuple(tensor.shape)
