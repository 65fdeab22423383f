"""Requests for an accelerator that is not there, answered with the CPU while a model is built or run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from initcheck.construct.guard import changed, user_line
from initcheck.construct.stand_ins.accelerator import Tell, alone, is_accelerator, plain_type, unaccelerated
from initcheck.construct.stand_ins.missing import user_site, while_importing

_MOVES = {getattr(torch.Tensor, name): name for name in ("cuda", "xpu", "hpu", "npu", "ipu", "mtia") if hasattr(torch.Tensor, name)}


@contextlib.contextmanager
def on_cpu(note: Callable[[str], None], done: str = "built on cpu (initial weights do not depend on it)") -> Iterator[None]:
    """Where no accelerator is present, requests for one give the CPU instead; `note` is told once, in the end what was `done`.

    Holds for the forward pass as for the construction. `torch.cuda.is_available()` tells the truth, but where the file would
    stop at it (`assert torch.cuda.is_available()`).
    """
    if torch.cuda.is_available():
        with alone():
            yield
        return
    told: list[str] = []

    def tell(device: str) -> None:
        if not told and not while_importing():
            told.append(device)
            line, site = user_line(), user_site()
            where = f"line {line} " if line else f"{site} " if site else ""
            note(f"{where}asks for {device}; {done}")

    with alone(), unaccelerated(tell), changed(torch.nn.Module, "to", _moved(torch.nn.Module.to, tell)), _OnCpu(tell):
        yield


class _OnCpu(TorchFunctionMode):
    """Replaces accelerators by the CPU in every call into torch."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _MOVES or func is torch.Tensor.pin_memory:
            self._tell(_MOVES.get(func, "cuda"))
            return args[0]
        if func is torch.Tensor.type or func is torch.Tensor.to:
            args = (args[0], *_on_cpu(args[1:], self._tell, numbers=func is torch.Tensor.to))
        elif any(map(is_accelerator, args)):
            args = _on_cpu(args, self._tell)
        if kwargs:
            kwargs = _named(kwargs, self._tell)
        return func(*args, **kwargs)


def _on_cpu(values: Any, tell: Tell, *, numbers: bool = False) -> tuple[Any, ...]:
    """Arguments with the CPU in place of accelerators, and tensor types of accelerators as plain ones."""
    found: list[Any] = []
    for position, value in enumerate(values):
        index = numbers and position == 0 and type(value) is int
        new = "cpu" if index or is_accelerator(value) else plain_type(value)
        if new is not value:
            tell("cuda" if index or not is_accelerator(value) else str(value).split(":")[0])
        found.append(new)
    return tuple(found)


def _named(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    found = dict(zip(values, _on_cpu(values.values(), tell), strict=True))
    if type(found.get("device")) is int:
        tell("cuda")
        found["device"] = "cpu"
    if found.get("pin_memory") is True:
        tell("cuda")
        found["pin_memory"] = False
    return found


def _moved(original: Callable[..., Any], tell: Tell) -> Callable[..., Any]:
    """`Module.to`, for names of devices that this torch cannot even read."""

    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(self, *_on_cpu(args, tell, numbers=True), **_named(kwargs, tell))

    _invisible(to)
    return to


def _invisible(function: Any) -> None:
    """Files a function under generated code, which the recorder looks through on its way to the user's line."""
    function.__code__ = function.__code__.replace(co_filename="<frozen initcheck.guard>")


_invisible(_OnCpu.__torch_function__)
