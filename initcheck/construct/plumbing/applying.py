"""Notices calls of `Module.apply`: which function, on which module, and whether it touched any tensor."""

from __future__ import annotations

import dis
import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import torch

from initcheck.construct.recording.frames import Kind, Spot, capture, kind_of

# fmt: off
INITIALIZERS = frozenset(
    {name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")}
    | {name[:-1] for name in dir(torch.nn.init) if name.endswith("_") and hasattr(torch.nn.init, name[:-1]) and not name.startswith("_")}
    | {"fill_", "zero_", "exponential_", "log_normal_", "reset_parameters"}
)
# fmt: on
"""Names that a function which initializes something must speak of."""


@dataclass(slots=True)
class Applying:
    """One call of `Module.apply` by somebody outside torch; `deeds` is the number of tensor operations before, then during it."""

    function: Any
    module: weakref.ReferenceType[torch.nn.Module]
    spot: Spot | None
    users: bool
    number: int
    deeds: int


class ApplyWatch:
    """While it is on, `Module.apply` reports here; nothing of it shows on the stack as initcheck's."""

    def __init__(self, count: Callable[[], int]) -> None:
        self.finished: list[Applying] = []
        self._count = count
        self._running: list[Applying] = []
        self._number = 0
        self._thread = 0
        self._original: Any = None
        self._mine: Any = None

    @property
    def sweep(self) -> int:
        """The number of the outermost call that is running, 0 for none."""
        return self._running[0].number if self._running else 0

    def start(self) -> None:
        """Put the watch in the place of `Module.apply`."""
        self._thread = threading.get_ident()
        self._original = torch.nn.Module.apply
        self._mine = _watched(self._original, self)
        torch.nn.Module.apply = self._mine

    def stop(self) -> None:
        """Put `Module.apply` back, unless somebody else replaced it meanwhile."""
        self._thread = 0
        self._running.clear()
        if torch.nn.Module.__dict__.get("apply") is self._mine:
            torch.nn.Module.apply = self._original

    def begin(self, module: torch.nn.Module, function: Any) -> Applying | None:
        """A call begins; None for the recursion into children and for other threads."""
        if threading.get_ident() != self._thread or (self._running and self._running[-1].function is function):
            return None
        trace = capture(sys._getframe(2), ())  # noqa: SLF001
        self._number += 1
        spot = trace.site
        users = spot is not None and kind_of(spot[0]) is Kind.USER
        entry = Applying(function, weakref.ref(module), spot, users, self._number, self._count())
        self._running.append(entry)
        return entry

    def end(self, entry: Applying, *, completed: bool) -> None:
        """The call returned, or raised."""
        if entry in self._running:
            del self._running[self._running.index(entry) :]
        entry.deeds = self._count() - entry.deeds
        if completed and entry.users:
            self.finished.append(entry)


def _watched(original: Callable[..., Any], watch: ApplyWatch) -> Callable[..., Any]:
    @functools.wraps(original)
    def apply(self: torch.nn.Module, fn: Any) -> Any:
        entry = watch.begin(self, fn)
        if entry is None:
            return original(self, fn)
        completed = False
        try:
            result = original(self, fn)
            completed = True
        finally:
            watch.end(entry, completed=completed)
        return result

    # filed under generated code, which the recorder looks through on its way to the user's line
    code: Any = apply
    code.__code__ = code.__code__.replace(co_filename="<frozen initcheck.applying>")
    return apply


def spoken(function: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The initializers and the module classes that a function names, itself or through the functions of its file that it calls."""
    names: set[str] = set()
    space: dict[str, Any] = {}
    plain = _plain(function)
    if plain is None:
        return (), ()
    space.update(plain.__globals__)
    for code in _codes(plain.__code__):
        names |= set(code.co_names)
    for name in _globals(plain.__code__):
        called = space.get(name)
        if isinstance(called, FunctionType) and called.__module__ == plain.__module__:
            names |= {more for code in _codes(called.__code__) for more in code.co_names}
    initializers = tuple(sorted(names & INITIALIZERS))
    return initializers, tuple(sorted(name for name in names if _is_module_class(space.get(name)) or _is_module_class(_of_nn(name))))


def _of_nn(name: str) -> Any:
    return getattr(torch.nn, name, None)


def _is_module_class(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, torch.nn.Module) and found is not torch.nn.Module


def _plain(function: Any) -> FunctionType | None:
    """The Python function behind partials, bound methods and objects that can be called."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        function = vars(type(function)).get("__call__")
    return function if isinstance(function, FunctionType) else None


def _globals(code: CodeType) -> set[str]:
    """The names that are looked up as globals; `co_names` would count attributes too (`init` of `nn.init`)."""
    return {step.argval for inner in _codes(code) for step in dis.get_instructions(inner) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
