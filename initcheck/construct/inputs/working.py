"""An input for a message: found by trying, written as the user would type it, and tried once more as it was written."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.repair.changes import form_of
from initcheck.construct.inputs.repair.probe import probe
from initcheck.construct.inputs.samples import Guess, dtype_name
from initcheck.errors import InitcheckError


def suggestion(model: Module) -> str:
    """The options `--input …` with which the model runs; empty when none is found."""
    # the search itself asks for a suggestion: both need each other
    from initcheck.construct.inputs.attempts import first_that_runs
    from initcheck.construct.inputs.grammar import parse
    from initcheck.construct.inputs.guesses import candidates, choose_batch

    rows = choose_batch(model)
    try:
        _, guess = first_that_runs(model, candidates(model, rows, 0), lambda args, kwargs: _plain(model, args, kwargs))
        texts = written(guess, rows)
        args, kwargs = parse(tuple(texts), rows, 0) if texts else ((), {})
    except InitcheckError:
        return ""
    if not texts:
        return ""
    with guess.prepare():
        if probe(model, args, kwargs).error is not None:
            return ""
    return " ".join(f"--input {shlex.quote(text)}" for text in texts)


def written(guess: Guess, batch: int) -> list[str]:
    """The texts of a guess in the grammar of `--input`; empty when it cannot be written."""
    values = [*(("", value) for value in guess.args), *guess.kwargs.items()]
    while values and values[-1][1] is None:
        values.pop()
    if not all(isinstance(value, Tensor) for _, value in values):
        return []
    return [f"{name}={_text(value, batch)}" if name else _text(value, batch) for name, value in values]


def _plain(model: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    with torch.no_grad():
        model(*args, **kwargs)


def _text(tensor: Tensor, batch: int) -> str:
    if tensor.dtype is torch.float32 and tensor.dim() > 1 and tensor.shape[0] == batch:
        return ",".join(str(size) for size in tensor.shape[1:])
    sizes = ",".join(str(size) for size in tensor.shape)
    whole = not tensor.dtype.is_floating_point and not tensor.dtype.is_complex and tensor.dtype is not torch.bool
    return f"{dtype_name(tensor.dtype)}[{sizes}]" + (f"<{form_of(tensor).below}" if whole else "")
