"""Targets that are files of weights: single ones, those in parts behind an index, and folders of them. None is opened here."""

from __future__ import annotations

from pathlib import Path

from initcheck.errors import TargetError
from initcheck.records.target import Target

ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
"""Endings of files that torch or safetensors write."""

INDEX = ".index.json"
"""The ending of the file that tells which tensor lies in which part."""

_WHOLE = (f"model.safetensors{INDEX}", "model.safetensors", f"pytorch_model.bin{INDEX}", "pytorch_model.bin")
"""What a folder in the Hugging Face layout may hold, the preferred one first: several of them are the same weights twice."""

_FOREIGN = (".onnx", ".h5", ".keras", ".tflite", ".gguf", ".ggml", ".pb", ".npz", ".npy", ".msgpack", ".mlmodel", ".engine")
_PICKLED = (".pkl", ".pickle", ".joblib")


def holds_weights(path: str) -> bool:
    """Whether a path is that of stored weights, by its ending."""
    return path.endswith((*ENDINGS, INDEX))


def target(path: str) -> Target:
    """The target that a file of weights is."""
    return Target(path, path, Path(path).name, "weights")


def in_folder(folder: str) -> tuple[Target, ...]:
    """The weights that lie directly in a folder; parts of one set of weights are one target."""
    names = sorted(path.name for path in Path(folder).iterdir() if path.is_file())
    whole = next((name for name in _WHOLE if name in names), "")
    if whole:
        return (target(f"{folder.rstrip('/')}/{whole}"),)
    indices = [name for name in names if name.endswith(INDEX)]
    found = indices or [name for name in names if name.endswith(ENDINGS)]
    return tuple(target(f"{folder.rstrip('/')}/{name}") for name in found)


def is_saved_model(folder: str) -> bool:
    """Whether a folder is what `save_pretrained` writes."""
    return (Path(folder) / "config.json").is_file()


def refuse_foreign(path: str) -> None:
    """Explains files that hold a model in a form that cannot be read.

    Raises:
        TargetError: for formats of other programs, and for plain pickles.
    """
    if path.endswith(_FOREIGN):
        message = f"cannot read {path}: a {Path(path).suffix} file is neither Python source nor weights that torch or safetensors wrote"
        raise TargetError(message, "name the file that defines the model: initcheck model.py::Net", name="not-python")
    if path.endswith(_PICKLED):
        message = f"{path} holds pickled objects, which can run code when opened"
        raise TargetError(message, 'torch.save(model.state_dict(), "weights.pt") and initcheck weights.pt', name="unsafe-pickle")
