"""Files that `torch.save` wrote, opened so that nothing in them can run; a pickled object is refused by name, or trusted on request."""

from __future__ import annotations

import argparse
import datetime as dt
import pathlib
import re
import types
import warnings
from typing import Any

import torch

from initcheck.construct.weights.content import damaged
from initcheck.errors import TargetError

_INERT = (argparse.Namespace, types.SimpleNamespace, pathlib.PosixPath, pathlib.PurePosixPath, dt.datetime, dt.timedelta)
"""Classes of the standard library that only hold what they are given: settings often lie beside the weights in them."""

_GLOBAL = re.compile(r"GLOBAL ([\w.]+)|unrecognized function <?(?:function |class '|built-in function )?([\w.]+)")
_SCRIPT = re.compile(r"TorchScript|torchscript")


def opened(path: str, *, archive: bool, trusted: bool) -> Any:
    """Whatever the file holds, on the CPU, tensors left in the file where its format allows.

    Raises:
        TargetError: `unsafe-pickle` for what could run code when it is opened, `damaged` for what cannot be read.
    """
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals([*_INERT, *_numpy_scalars()]):
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=not trusted, mmap=archive)
    except Exception as error:
        if trusted and not _unreadable(error):
            if isinstance(error, (AttributeError, ModuleNotFoundError)):
                raise _homeless(path, error) from error
            raise  # the code of the file's own objects failed, which is told as any failure of the user's code
        raise _explained(path, error) from error


def _numpy_scalars() -> list[Any]:
    """What a NumPy number (an epoch, a best accuracy) is pickled through."""
    import numpy as np

    dtypes = {type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)}
    rebuild = np.float64(0.0).__reduce__()[0]
    return [np.dtype, rebuild, *sorted(dtypes, key=str)]


def _homeless(path: str, error: Exception) -> TargetError:
    """A pickled object whose class cannot be found: a pickle holds the name of a class, not its code."""
    message = f"cannot open {path}: the class of what it holds is not here ({type(error).__name__}: {error})"
    hint = "save model.state_dict() where the class is defined, or check its source: initcheck model.py::Net"
    return TargetError(message, hint, name="missing-import")


def _unreadable(error: Exception) -> bool:
    return isinstance(error, EOFError) or "PytorchStreamReader" in str(error)


def _explained(path: str, error: Exception) -> TargetError:
    text = str(error)
    if _SCRIPT.search(text):
        message = f"{path} holds a TorchScript program, which runs when opened"
        hint = "save the weights: torch.save(torch.jit.load(path).state_dict(), 'weights.pt'), or name the file that defines the model"
        return TargetError(message, hint, name="unsafe-pickle")
    name = _unsafe_global(path, text)
    if name:
        kind = name.rpartition(".")[2]
        what = f"a pickled {kind} object" if kind[:1].isupper() else f"a call of {name}"
        message = f"{path} holds {what}, which can run code when opened"
        return TargetError(message, "save model.state_dict(), or pass --trust-pickle if you made the file yourself", name="unsafe-pickle")
    if "Weights only load failed" in text:
        message = f"{path} holds pickled objects that are no weights, which can run code when opened"
        return TargetError(message, "save model.state_dict(), or pass --trust-pickle if you made the file yourself", name="unsafe-pickle")
    if "central directory" in text:
        return damaged(path, "it breaks off before its end")
    first = text.strip().splitlines()[0] if text.strip() else "it breaks off"
    return damaged(path, f"{type(error).__name__}: {first[:200]}")


def _unsafe_global(path: str, text: str) -> str:
    """The name of the first thing in the file that is no plain data: the user's own class rather than a layer of torch."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # noqa: BLE001  (files of the old format are not listed: the message of the refusal names the first one)
        names = []
    inert = {f"{cls.__module__}.{cls.__qualname__}" for cls in _INERT}
    names = [name for name in names if name not in inert]
    own = [name for name in names if not name.startswith(("torch.", "numpy.", "collections."))]
    found = _GLOBAL.search(text)
    return next(iter([*own, *names]), "") or ((found[1] or found[2]) if found else "")
