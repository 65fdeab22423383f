"""Where stored weights come from: a file, a folder, or what torchvision, timm and the Hugging Face hub have left on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from initcheck.construct.weights.opening import open_weights
from initcheck.construct.weights.tensors import Entry, in_memory
from initcheck.errors import TargetError, UsageError
from initcheck.pretrained import cached
from initcheck.records.target import Target

_ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
_INDEX = ".index.json"
_WHOLE = (f"model.safetensors{_INDEX}", "model.safetensors", f"pytorch_model.bin{_INDEX}", "pytorch_model.bin")


@dataclass(frozen=True, slots=True)
class Source:
    """Opened weights: `title` as people call them, tensors by name, and the folder in the Hugging Face layout that they lie in, if any."""

    title: str
    entries: Mapping[str, Entry]
    notes: tuple[str, ...] = ()
    folder: str = ""


def opened_source(text: str, *, trusted: bool = False) -> Source:
    """Opens what SRC names: a path, `torchvision:NAME[:WEIGHTS]`, `hf:DIR_OR_ID` or `timm:NAME`. Nothing is downloaded or executed.

    Raises:
        TargetError: `offline`, `file-missing`, `no-weights`, `damaged`, `unsafe-pickle`, `unknown-name` or `missing-import`.
        UsageError: for an empty text.
    """
    if not text.strip():
        raise UsageError("--from needs a source", "--from weights.safetensors")
    scheme, _, reference = text.partition(":")
    if reference.startswith("//"):
        raise TargetError(f"cannot load {text}: initcheck works offline", f"fetch it first: curl -LO {text}", name="offline")
    if scheme == "torchvision" and reference:
        return _file(cached.torchvision_file(reference), text, trusted=trusted)
    if scheme == "timm" and reference:
        return _file(cached.timm_file(reference), text, trusted=trusted)
    if scheme == "hf" and reference:
        folder = Path(reference).expanduser()
        local = folder.is_dir() or reference.startswith((".", "/", "~"))
        return _folder(str(folder) if local else cached.hub_folder(reference), text, trusted=trusted)
    path = str(Path(text).expanduser())
    if Path(path).is_dir():
        return _folder(path, text, trusted=trusted)
    if Path(path).name == "config.json":
        return _folder(str(Path(path).parent), text, trusted=trusted)
    return _file(path, text, trusted=trusted)


def _folder(folder: str, text: str, *, trusted: bool) -> Source:
    path = Path(folder)
    if not path.is_dir():
        raise TargetError(f"cannot find {folder}: no such folder", "give the folder that save_pretrained wrote", name="file-missing")
    names = sorted(entry.name for entry in path.iterdir() if entry.is_file())
    whole = next((name for name in _WHOLE if name in names), "")
    found = [whole] if whole else [name for name in names if name.endswith(_INDEX)] or [name for name in names if name.endswith(_ENDINGS)]
    if len(found) != 1:
        what = f"it holds several: {', '.join(found[:4])}" if found else "there is no file of weights in it"
        hint = f"name the file: --from {path / (found[0] if found else 'weights.safetensors')}"
        raise TargetError(f"cannot tell which weights to load from {folder}: {what}", hint, name="no-weights")
    return _file(str(path / found[0]), text, trusted=trusted)


def _file(path: str, text: str, *, trusted: bool) -> Source:
    if not Path(path).exists():
        raise TargetError(f"cannot find {path}: no such file", _meant(text), name="file-missing")
    if path.endswith(".py"):
        raise TargetError(f"{path} holds a program, not weights", f"initcheck {path}", name="no-weights")
    stored = open_weights(Target(text, path, Path(path).name, "weights"), trusted=trusted)
    tensors = stored.tensors if stored.module is None else in_memory(stored.module.state_dict())[0]
    folder = str(Path(path).parent) if (Path(path).parent / "config.json").is_file() else ""
    source = Source(text, tensors.entries, stored.notes, folder)
    packed = {why for why in tensors.others.values() if "view that claims" in why}
    return replace(source, notes=(*source.notes, *sorted(packed)))


def _meant(text: str) -> str:
    """A name of a library without its scheme looks like a file that is missing."""
    if "/" not in text and "." not in text:
        return f"--from torchvision:{text}, --from timm:{text} or --from hf:{text} if a library's weights are meant"
    return f"ls -l {Path(text).parent}"
