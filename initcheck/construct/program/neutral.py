"""What a program may not do while it is watched: open windows, compile, log to a service, start data workers, wait for input."""

from __future__ import annotations

import contextlib
import functools
import importlib.abc
import inspect
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from initcheck.construct.guard import changed
from initcheck.construct.program.roots import unseen

ENVIRONMENT = {
    "MPLBACKEND": "agg",
    "WANDB_MODE": "disabled",
    "WANDB_SILENT": "true",
    "COMET_MODE": "disabled",
    "NEPTUNE_MODE": "offline",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
ALONE = {
    "num_workers": 0,
    "pin_memory": False,
    "prefetch_factor": None,
    "persistent_workers": False,
    "timeout": 0,
    "multiprocessing_context": None,
}
"""Arguments of a DataLoader that reads its data in this very process."""
PLOTS = {"matplotlib": ("use",), "matplotlib.pyplot": ("show", "pause", "switch_backend", "ginput", "waitforbuttonpress")}
"""Functions that open a window or wait for one."""


@contextlib.contextmanager
def neutralised(note: Callable[[str], None]) -> Iterator[None]:
    """Takes from the program what a check has no use for; `note` is told what changes the model's surroundings."""
    loader: Any = torch.utils.data.DataLoader
    iterator: Any = torch.utils.data.dataloader._BaseDataLoaderIter  # noqa: SLF001  (the base of both iterators)
    silencer = _Silencer()
    sys.meta_path.insert(0, silencer)
    for name in PLOTS:
        if name in sys.modules:
            _silence(sys.modules[name])
    try:
        with (
            _environment(),
            changed(sys, "stdin", io.StringIO("")),
            contextlib.redirect_stdout(sys.stderr),
            changed(torch, "compile", _uncompiled(note)),
            changed(loader, "__init__", _alone(loader.__init__)),
            changed(iterator, "__next__", _unrecorded(iterator.__next__)),
            changed(os, "popen", _popen(os.popen)),
        ):
            yield
    finally:
        sys.meta_path.remove(silencer)


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _uncompiled(note: Callable[[str], None]) -> Callable[..., Any]:
    def compiled(model: Any = None, **_options: Any) -> Any:
        note("torch.compile was left out")
        return (lambda found: found) if model is None else model

    return compiled


def _alone(original: Any) -> Any:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:  # the loader itself says it better
            original(self, *args, **kwargs)
            return
        bound.arguments.update({name: value for name, value in ALONE.items() if name in bound.arguments})
        original(*bound.args, **bound.kwargs)

    return unseen(make)


def _unrecorded(original: Any) -> Any:
    """Data are read without the recorder, which would make small operations several times slower."""

    @functools.wraps(original)
    def following(self: Any) -> Any:
        with _disable_current_modes():
            return original(self)

    return unseen(following)


def _popen(original: Callable[..., Any]) -> Callable[..., Any]:
    """Progress bars ask `stty` for the size of a terminal that is not there."""

    def popen(command: str, *args: Any, **kwargs: Any) -> Any:
        return io.StringIO("24 80\n") if command.split()[:2] == ["stty", "size"] else original(command, *args, **kwargs)

    return popen


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """Stands in for a function that opens a window."""


def _silence(module: ModuleType) -> None:
    for name in PLOTS[module.__name__]:
        if hasattr(module, name):
            setattr(module, name, _nothing)


class _Silencer(importlib.abc.MetaPathFinder):
    """Finds the plotting modules as everybody else does, and silences them once they are loaded."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders give, for the modules to be silenced."""
        if name not in PLOTS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((found for finder in others if (found := finder.find_spec(name, path, target)) is not None), None)
        loader: Any = spec.loader if spec is not None else None
        if loader is not None:
            run = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _silence(module)

            loader.exec_module = exec_module
        return spec
