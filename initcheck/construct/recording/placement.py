"""Requests for an accelerator that is not there, answered with the CPU while a model is built."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from initcheck.construct.guard import changed, user_line


@contextlib.contextmanager
def on_cpu(note: Callable[[str], None]) -> Iterator[None]:
    """Where no accelerator is present, requests for one give the CPU instead; `note` is told once."""
    if torch.cuda.is_available():
        yield
        return
    told: list[str] = []

    def tell() -> None:
        if not told:
            line = user_line()
            told.append("said")
            note(f"{f'line {line} ' if line else ''}asks for cuda; built on cpu (initial weights do not depend on it)")

    def elsewhere(*_args: Any, **_kwargs: Any) -> None:
        tell()

    with changed(torch, "set_default_device", _default_device(tell)), changed(torch.cuda, "set_device", elsewhere), _OnCpu(tell):
        yield


class _OnCpu(TorchFunctionMode):
    """Replaces cuda by cpu in every call into torch."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.cuda:
            self._tell()
            return args[0]
        if any(map(_is_cuda, args)) or any(map(_is_cuda, kwargs.values())):
            self._tell()
            args = tuple("cpu" if _is_cuda(value) else value for value in args)
            kwargs = {name: "cpu" if _is_cuda(value) else value for name, value in kwargs.items()}
        return func(*args, **kwargs)


def _invisible(function: Any) -> None:
    """Files a function under generated code, which the recorder looks through on its way to the user's line."""
    function.__code__ = function.__code__.replace(co_filename="<frozen initcheck.guard>")


_invisible(_OnCpu.__torch_function__)


def _default_device(tell: Callable[[], None]) -> Callable[[Any], None]:
    original = torch.set_default_device

    def set_default_device(device: Any) -> None:
        if _is_cuda(device):
            tell()
            device = "cpu"
        original(device)

    return set_default_device


def _is_cuda(value: object) -> bool:
    if isinstance(value, torch.device):
        return bool(value.type == "cuda")
    return isinstance(value, str) and value.split(":")[0] == "cuda"
