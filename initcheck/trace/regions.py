"""Where in the model an operation runs: the module stack, recurrent modules and custom autograd functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

RECURRENT = (torch.nn.RNNBase, torch.nn.RNNCellBase)
CELLS = {"LSTMCell": "lstm", "GRUCell": "gru"}


@dataclass(eq=False, slots=True)
class Region:
    """A block whose inner operations collapse into one node; `node` is -1 until something ran in it."""

    op: str
    name: str
    module: str
    attributes: dict[str, Any]
    node: int = -1


@dataclass(slots=True)
class Stack:
    """The modules that are running, innermost last."""

    paths: dict[int, str]
    running: list[tuple[int, str, str]] = field(default_factory=list)
    region: Region | None = None
    owner: int = 0

    @classmethod
    def of(cls, model: torch.nn.Module) -> Stack:
        """An empty stack that knows the paths of the modules of `model`."""
        return cls({id(module): name for name, module in model.named_modules()})

    @property
    def path(self) -> str:
        """The path of the innermost running module, empty for the model itself."""
        return self.running[-1][1] if self.running else ""

    @property
    def kind(self) -> str:
        """The class name of the innermost running module."""
        return self.running[-1][2] if self.running else ""

    def watch(self, left: Callable[[Region, Any], None]) -> list[Any]:
        """Global hooks that keep the stack; `left` is called with a recurrent region and its module's output. Returns the handles."""

        def enter(module: torch.nn.Module, _args: Any) -> None:
            path = self.paths.get(id(module), self.path)
            self.running.append((id(module), path, type(module).__name__))
            if self.region is None and isinstance(module, RECURRENT):
                self.region, self.owner = Region("recurrent", path, path, {"cell": _cell(module)}), id(module)

        def leave(module: torch.nn.Module, _args: Any, output: Any) -> None:
            # a module whose exception was swallowed by its caller is still on the stack
            while self.running and self.running.pop()[0] != id(module):
                pass
            if self.region is not None and self.owner == id(module):
                region, self.region = self.region, None
                left(region, output)

        return [register_module_forward_pre_hook(enter), register_module_forward_hook(leave)]


def _cell(module: Any) -> str:
    mode = getattr(module, "mode", None)
    if isinstance(mode, str):
        return mode.lower()
    return CELLS.get(type(module).__name__) or f"rnn_{getattr(module, 'nonlinearity', 'tanh')}"


@dataclass(slots=True)
class Functions:
    """Recognizes the custom autograd function that is running, if one is."""

    codes: dict[CodeType, str] = field(default_factory=dict)
    current: Region | None = None
    key: tuple[int, int] = (0, 0)

    def running(self, sequence: int, module: str) -> Region | None:
        """The region of the custom function on the Python stack; `sequence` tells successive calls apart."""
        frame: Any = sys._getframe(2)  # noqa: SLF001
        while frame is not None and not self._name(frame.f_code):
            frame = frame.f_back
        if frame is None:
            self.current = None
            return None
        key = (id(frame), sequence)
        if self.current is None or key != self.key:
            name = self._name(frame.f_code)
            self.current, self.key = Region("custom", name, module, {"name": name}), key
        return self.current

    def _name(self, code: CodeType) -> str:
        """The class whose static forward has this code, empty for none."""
        if code not in self.codes:
            if code.co_name == "forward":
                self.codes.update(_forwards(torch.autograd.Function))
            self.codes.setdefault(code, "")
        return self.codes[code]


def _forwards(base: Any) -> Iterator[tuple[CodeType, str]]:
    for child in base.__subclasses__():
        code = getattr(getattr(child.__dict__.get("forward"), "__func__", None), "__code__", None)
        if code is not None:
            yield code, child.__name__
        yield from _forwards(child)
