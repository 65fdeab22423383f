"""Inputs that the user gives: texts of `--input`, and objects from Python."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.guard.refusal import now
from initcheck.construct.inputs.samples import DTYPES, Drawer, Form
from initcheck.errors import TargetError, UsageError

_EXAMPLE = "examples: --input 1,28,28   --input x=float32[8,3,224,224]   --input 'input_ids=int64[2,128]<30522'   --input batch.pt"
_NAMED = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*(?=\S)")
_TYPED = re.compile(r"^([A-Za-z]\w*)\s*\[([^\]]*)\]\s*(?:<\s*(\d[\d_]*))?$")
_SIZES = re.compile(r"^\d+(?:\s*,\s*\d+)*,?$")
_SAVED = (".pt", ".pth", ".bin", ".ckpt")

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def parse(texts: tuple[str, ...], batch: int, seed: int) -> Arguments:
    """Reads the texts of `--input` into positional and keyword arguments of the model's forward.

    `1,28,28` is a float tensor to which the batch axis is added; `float32[8,3,224,224]` has it already; `NAME=` makes it a keyword
    argument; `<30522` bounds integers, which are 0 or 1 without it; a saved file holds a tensor, a tuple or a dictionary.

    Raises:
        UsageError: when a text is not understood, with examples.
        TargetError: when a file needs pickle to be read (`unsafe-pickle`).
    """
    drawer = Drawer(seed)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for text in texts:
        name, rest = _split(text)
        if name:
            if name in kwargs:
                raise UsageError(f"--input names {name!r} twice", _EXAMPLE)
            kwargs[name] = _value(rest, batch, drawer, text)
        elif rest.endswith(_SAVED) or Path(rest).is_file():
            more, named = normalise(_saved(rest))
            args.extend(more)
            kwargs.update(named)
        else:
            args.append(drawer.draw(form(rest, batch, text)))
    return tuple(args), kwargs


def normalise(value: object) -> Arguments:
    """Positional and keyword arguments from what a user hands over as inputs.

    A tensor is one argument, a tuple or list holds positional ones, a mapping keyword ones, a pair of a tuple and a dictionary both;
    a callable is called for any of these. Arrays become tensors.

    Raises:
        UsageError: for anything else.
    """
    if callable(value) and not isinstance(value, (Tensor, Module, Mapping)):
        value = value()
    if isinstance(value, Mapping):
        return (), {str(key): _tensor(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        if len(value) == 2 and isinstance(value[0], (tuple, list)) and isinstance(value[1], dict):
            return tuple(map(_tensor, value[0])), normalise(value[1])[1]
        return tuple(map(_tensor, value)), {}
    if isinstance(value, Tensor) or hasattr(value, "__array__"):
        return (_tensor(value),), {}
    raise UsageError(
        f"inputs must be a tensor, a tuple of positional arguments or a dictionary of keyword arguments, not {type(value).__name__}",
        "example: inputs=torch.randn(8, 784)",
    )


def _tensor(value: Any) -> Any:
    return torch.as_tensor(value) if hasattr(value, "__array__") and not isinstance(value, Tensor) else value


def _split(text: str) -> tuple[str, str]:
    match = _NAMED.match(text)
    return (match.group(1), text[match.end() :].strip()) if match else ("", text.strip())


def _value(text: str, batch: int, drawer: Drawer, whole: str) -> Any:
    if text.endswith(_SAVED) or Path(text).is_file():
        return _saved(text)
    return drawer.draw(form(text, batch, whole))


def form(text: str, batch: int, whole: str) -> Form:
    """The tensor that one text stands for; `whole` is what the user typed.

    Raises:
        UsageError: when it is not understood, with examples.
    """
    if _SIZES.match(text):
        return Form((batch, *_sizes(text, whole)), "float32")
    match = _TYPED.match(text)
    if match is None:
        raise UsageError(f"--input {whole!r} is not understood", _EXAMPLE)
    dtype, sizes, below = match.groups()
    if dtype not in DTYPES:
        raise UsageError(f"--input {whole!r}: no dtype {dtype!r}; known are {', '.join(DTYPES)}", _EXAMPLE)
    if below and (DTYPES[dtype].is_floating_point or DTYPES[dtype].is_complex):
        raise UsageError(f"--input {whole!r}: a bound (<{below}) needs an integer dtype", _EXAMPLE)
    if below and int(below) < 1:
        raise UsageError(f"--input {whole!r}: the bound must be at least 1", _EXAMPLE)
    return Form(_sizes(sizes, whole), dtype, int(below) if below else 2)


def _sizes(text: str, whole: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in text.split(",") if size.strip())
    except ValueError:
        raise UsageError(f"--input {whole!r}: sizes are whole numbers, got {text!r}", _EXAMPLE) from None
    if any(size < 1 for size in sizes):
        raise UsageError(f"--input {whole!r}: every size must be at least 1", _EXAMPLE)
    return sizes


def _saved(path: str) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=not now.trust_pickle)
    except FileNotFoundError:
        raise UsageError(f"--input {path}: no such file", _EXAMPLE) from None
    except pickle.UnpicklingError:
        message = f"{path} holds pickled objects, which can run code when opened"
        hint = "save plain tensors: torch.save({'x': x}, 'batch.pt'); or --trust-pickle, if you trust the file"
        raise TargetError(message, hint, name="unsafe-pickle") from None
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise UsageError(f"--input {path}: cannot be read as saved tensors ({error})".splitlines()[0], _EXAMPLE) from None
