"""Import hooks: what a user's file imports and nobody can find becomes a stand-in; what a newer version of a package lost is given back."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from types import FrameType
from typing import Any

from initcheck.construct.recording.frames import PACKAGES, Kind, kind_of
from initcheck.construct.stand_ins import removed
from initcheck.construct.stand_ins.imports import provided_for
from initcheck.construct.stand_ins.objects import StandInModule

_MACHINERY = "<frozen importlib._bootstrap"
_FORWARDING = ("import_module", "__import__")


class Finder(MetaPathFinder, Loader):
    """Asked last, when nothing else found a module; answers only imports that stand in the user's own code.

    `found` holds the stand-ins by name. An import that the file can do without (`except ImportError`) fails as it would.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.found: dict[str, StandInModule] = {}
        self._note = note

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of a stand-in, None where there is none to be."""
        del path, target
        frame = _asking()
        if frame is None or not (removed.knows(fullname) or _open(fullname)) or provided_for(frame):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """A stand-in, or a module of names that have moved."""
        moved = removed.module(spec.name)
        if moved is not None:
            self._note(f"{spec.name} is gone from the installed version; {moved.__doc__} is used")
            return moved
        made = self.found[spec.name] = StandInModule(spec.name)
        return made

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing has to run."""


class Watcher(MetaPathFinder):
    """Asked first; changes nothing, but has a reaction run after a module is loaded that one is given for."""

    def __init__(self, reactions: Mapping[str, Callable[[types.ModuleType], None]]) -> None:
        self._reactions = reactions

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification that the path gives, with a loader that also runs the reaction."""
        react = self._reactions.get(fullname)
        if react is None:
            return None
        spec = self._next(fullname, path, target)
        loader: Any = spec.loader if spec is not None else None
        if loader is None:
            return None
        run = loader.exec_module

        def executed(module: types.ModuleType) -> None:
            run(module)
            react(module)

        loader.exec_module = executed
        return spec

    def _next(self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None) -> importlib.machinery.ModuleSpec | None:
        """What the next watcher gives for a name that several watch, else the path."""
        after = sys.meta_path[sys.meta_path.index(self) + 1 :] if self in sys.meta_path else []
        found = (other.find_spec(fullname, path, target) for other in after if isinstance(other, Watcher))
        return next(filter(None, found), None) or importlib.machinery.PathFinder.find_spec(fullname, path, target)


def _asking() -> FrameType | None:
    """The frame of the user that imports; None when a library does, or when somebody only asks whether a module is there."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  (the import statement is no function on the way)
    while frame is not None and (frame.f_code.co_filename.startswith(_MACHINERY) or frame.f_code.co_name in _FORWARDING):
        frame = frame.f_back
    return frame if frame is not None and kind_of(frame.f_code) is Kind.USER else None


def _open(fullname: str) -> bool:
    """Whether a name may be stood in for: at top level, below a stand-in, or below a package of the user's own."""
    parent = fullname.rpartition(".")[0]
    if not parent:
        return True
    holder = sys.modules.get(parent)
    return isinstance(holder, StandInModule) or (holder is not None and _own(holder))


def _own(module: types.ModuleType) -> bool:
    places = [module.__file__] if getattr(module, "__file__", None) else list(getattr(module, "__path__", ()))
    return bool(places) and not any(part in str(place) for place in places for part in (*PACKAGES, str(Path(types.__file__).parent)))
