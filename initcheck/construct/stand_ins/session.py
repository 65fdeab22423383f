"""The span in which missing packages are stood in for."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator

from initcheck.construct.stand_ins.finder import Finder, Watcher
from initcheck.construct.stand_ins.imports import forget
from initcheck.construct.stand_ins.objects import StandInModule, bases_in
from initcheck.construct.stand_ins.packages import looks_local
from initcheck.construct.stand_ins.pretrained import watched, without_downloads
from initcheck.construct.stand_ins.removed import ATTRIBUTES, Renewed
from initcheck.records.target import Target


@contextlib.contextmanager
def standing_in(target: Target, note: Callable[[str], None]) -> Iterator[None]:
    """Inside, the user's own code may import what is not installed; `note` is told at the end what was stood in.

    Installed packages see no stand-in: what they try and cannot import fails for them as ever.
    """
    del target
    forget()
    finder, renewed = Finder(note), Renewed(note)
    renewed.hook_loaded()
    with without_downloads(note) as fit:

        def react(module: types.ModuleType) -> None:
            if module.__name__ in ATTRIBUTES:
                renewed.hook(module)
            fit(module)

        watcher = Watcher(dict.fromkeys((*ATTRIBUTES, *watched()), react))
        sys.meta_path.insert(0, watcher)
        sys.meta_path.append(finder)
        try:
            yield
            for text in _said(finder.found):
                note(text)
        finally:
            sys.meta_path.remove(watcher)
            sys.meta_path.remove(finder)
            renewed.restore()
            _forget(finder)


def _forget(finder: Finder) -> None:
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if isinstance(module, StandInModule) or getattr(spec, "loader", None) is finder:
            del sys.modules[name]


def _said(found: dict[str, StandInModule]) -> Iterator[str]:
    given = list(dict.fromkeys(item for module in found.values() for item in module.used))
    equal = dict.fromkeys(item.partition(".")[0] for item in given)
    packages = dict.fromkeys(name.partition(".")[0] for name in found)
    local = [name for name in packages if looks_local(name)]
    missing = [name for name in packages if not looks_local(name) and name not in equal]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        yield f"{', '.join(missing)} {verb} not installed; stood in (no weight depends on {'it' if len(missing) == 1 else 'them'})"
    for name in local:
        yield f"there is no file {name}.py; stood in (no weight depends on it)"
    for base in bases_in(found.values()):
        yield f"{base} stood in as a plain nn.Module"
    for package in equal:
        names = ", ".join(item.rpartition(".")[2] for item in given if item.partition(".")[0] == package)
        yield f"{package} is not installed; {names} given by an equivalent"
