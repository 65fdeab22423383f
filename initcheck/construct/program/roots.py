"""Knows the modules that a program builds and that belong to no other module, and what each is called with."""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch
from torch.nn.modules.module import register_module_module_registration_hook

from initcheck.construct.guard import changed
from initcheck.construct.program.copying import State, copied
from initcheck.construct.recording.frames import Kind, Spot, kind_of

MOST = 256
"""Most modules that are kept alive although the program dropped them."""
PARTS = 64
"""Most parts of one model whose calls are kept, when the model itself is not what is called."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a module was called with; of two calls the one with the higher rank says more about training."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    rank: tuple[bool, ...]


@dataclass(slots=True, eq=False)
class Root:
    """A module without a parent: the line that built it, its best call, and those of its parts that are called from outside of it."""

    module: torch.nn.Module
    spot: Spot | None
    call: Call | None = None
    parts: dict[int, tuple[torch.nn.Module, Call]] = field(default_factory=dict)
    state: State | None = None
    reached: bool = False
    """Whether its parameters were met in the graph of a backward pass."""

    @property
    def used(self) -> bool:
        """Whether anything of it ran with gradients."""
        return self.reached or any(call.rank[0] for call in (self.call, *(call for _, call in self.parts.values())) if call is not None)

    def parameters(self) -> set[int]:
        """The identities of its parameters."""
        return {id(parameter) for parameter in self.module.parameters()}


class Roots:
    """While `watching`, every module of this thread is noticed where it is built and where it is called."""

    def __init__(self) -> None:
        self.found: dict[int, Root] = {}
        self.trains = False
        """Whether the program has an optimizer."""
        self.before_call: Callable[[], None] = lambda: None
        self.aside: Callable[[], Any] = torch.no_grad
        """What to do while arguments are copied."""
        self._lines: dict[int, tuple[Any, Spot | None]] = {}
        self._owners: dict[int, Root] = {}
        self._depth = 0
        self._thread = threading.get_ident()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Notice modules; the entry points of torch are as before afterwards."""
        module: Any = torch.nn.Module
        handle = register_module_module_registration_hook(self._registered)
        try:
            with (
                changed(module, "__init__", _told(module.__init__, self._built)),
                changed(module, "__setstate__", _told(module.__setstate__, self._built)),
                changed(module, "__call__", _called(module.__call__, self)),
            ):
                yield
        finally:
            handle.remove()

    def line(self, module: torch.nn.Module) -> Spot | None:
        """The user's line that built a module."""
        known = self._lines.get(id(module))
        return known[1] if known is not None and known[0]() is module else None

    def owners(self, parameters: set[int]) -> list[Root]:
        """The roots that hold some of these parameters."""
        return [root for root in list(self.found.values()) if not parameters.isdisjoint(root.parameters())]

    def _built(self, module: torch.nn.Module) -> None:
        if threading.get_ident() != self._thread or id(module) in self.found:
            return
        spot = _construction(sys._getframe(2), module)  # noqa: SLF001
        self._lines[id(module)] = weakref.ref(module), spot
        self.found[id(module)] = Root(module, spot)
        if len(self.found) > MOST:
            idle = next((key for key, root in self.found.items() if root.call is None and not root.parts), None)
            self.found.pop(next(iter(self.found)) if idle is None else idle)

    def _registered(self, parent: torch.nn.Module, _name: str, child: torch.nn.Module | None) -> None:
        if child is not None and child is not parent:
            self.found.pop(id(child), None)

    def enter(self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """A call begins; false for the calls of other threads, whose end is not told either."""
        if threading.get_ident() != self._thread:
            return False
        self._depth += 1
        root = self.found.get(id(module))
        if root is not None or self._depth == 1:
            self.before_call()
            self._note(root, module, args, kwargs)
        return True

    def leave(self) -> None:
        """The call is over."""
        self._depth -= 1

    def _note(self, root: Root | None, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if next(module.parameters(), None) is None:
            return
        part = root is None
        if root is None:
            root = self._owner(module)
            if root is None:  # built where nobody looked: it counts from now on
                root = self.found[id(module)] = Root(module, None)
                part = False
        rank = torch.is_grad_enabled(), module.training, self.trains, _samples(args, kwargs) > 1
        known = root.parts[id(module)][1] if part and id(module) in root.parts else None if part else root.call
        if (known is not None and known.rank >= rank) or (part and len(root.parts) >= PARTS):
            return
        with self.aside():
            if root.state is None:
                root.state = State(root.module)
            call = Call(copied(args), copied(kwargs), rank)
        if part:
            root.parts[id(module)] = module, call
        else:
            root.call = call

    def _owner(self, module: torch.nn.Module) -> Root | None:
        known = self._owners.get(id(module))
        if known is None or self.found.get(id(known.module)) is not known:
            known = next((one for one in self.found.values() if any(inner is module for inner in one.module.modules())), None)
            if known is not None:
                self._owners[id(module)] = known
        return known


def _samples(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor) and value.dim()]
    return int(tensors[0].shape[0]) if tensors else 0


def _construction(frame: FrameType | None, module: torch.nn.Module) -> Spot | None:
    """The nearest line of the user outside the constructors that are running for this module."""
    while frame is not None and _first(frame) is module:
        frame = frame.f_back
    while frame is not None and kind_of(frame.f_code) is not Kind.USER:
        frame = frame.f_back
    return (frame.f_code, frame.f_lasti) if frame is not None else None


def _first(frame: FrameType) -> object:
    code = frame.f_code
    return frame.f_locals.get(code.co_varnames[0]) if code.co_argcount and code.co_varnames else None


def _told(original: Any, tell: Callable[[torch.nn.Module], None]) -> Any:
    @functools.wraps(original)
    def entry(self: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        tell(self)
        original(self, *args, **kwargs)

    return unseen(entry)


def _called(original: Any, roots: Roots) -> Any:
    @functools.wraps(original)
    def call(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        mine = roots.enter(self, args, kwargs)
        try:
            return original(self, *args, **kwargs)
        finally:
            if mine:
                roots.leave()

    return unseen(call)


def unseen(function: Any) -> Any:
    """The function, filed under generated code, which the recorder looks through on its way to the user's line."""
    function.__code__ = function.__code__.replace(co_filename="<frozen initcheck.program>")
    return function
