"""Notices where parameters are registered, so that a place that gets another parameter, and a tie, can be told afterwards."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.modules.module import register_module_module_registration_hook, register_module_parameter_registration_hook

from initcheck.construct.recording.frames import Spot, capture
from initcheck.construct.recording.history import Home, Slot, region_of

HOMES = 16
"""Most places of one memory that are remembered."""


@dataclass(slots=True)
class Moved:
    """A module with tied parameters was replaced: weakly its parent, the name of one such parameter from there, its memory, the line."""

    parent: weakref.ReferenceType[torch.nn.Module]
    name: str
    slot: Slot
    spot: Spot | None


class Registrations:
    """Global hooks of torch on every registration of a parameter or a module while it is on."""

    def __init__(self, find: Callable[[torch.Tensor], Slot | None]) -> None:
        self.moved: list[Moved] = []
        self._find = find
        self._handles: list[Any] = []
        self._thread = 0

    def start(self) -> None:
        """Listen to the registrations of this thread."""
        self._thread = threading.get_ident()
        self._handles = [
            register_module_parameter_registration_hook(self._parameter),
            register_module_module_registration_hook(self._module),
        ]

    def stop(self) -> None:
        """Listen no more."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _parameter(self, module: torch.nn.Module, name: str, parameter: torch.Tensor | None) -> None:
        if parameter is None or threading.get_ident() != self._thread:
            return
        slot = self._find(parameter)
        if slot is None:
            return
        if slot.owner is None or slot.owner() is None:
            slot.owner = weakref.ref(parameter)
        known = bool(slot.homes)
        old = module._parameters.get(name)  # noqa: SLF001
        before = self._find(old) if old is not None and old is not parameter else None
        spot = _line() if known or before is not None else None
        if len(slot.homes) < HOMES and not any(home.module() is module and home.name == name for home in slot.homes):
            slot.homes.append(Home(weakref.ref(module), name, region_of(parameter), spot))
        if len(slot.homes) > 1:
            slot.notable = True
        if before is not None and before is not slot and not known:
            self._lose(before, spot)

    def _module(self, parent: torch.nn.Module, name: str, module: torch.nn.Module | None) -> None:
        old = parent._modules.get(name)  # noqa: SLF001
        if old is None or old is module or threading.get_ident() != self._thread:
            return
        spot = _line()
        for inner, parameter in old.named_parameters(name):
            slot = self._find(parameter)
            if slot is None:
                continue
            self._lose(slot, spot)
            if len(slot.homes) > 1:
                self.moved.append(Moved(weakref.ref(parent), inner, slot, spot))

    def _lose(self, slot: Slot, spot: Spot | None) -> None:
        slot.replaced = spot


def _line() -> Spot | None:
    """The line that asked for the registration: the user's, else the library's."""
    trace = capture(sys._getframe(2), ())  # noqa: SLF001
    return trace.user or trace.site
