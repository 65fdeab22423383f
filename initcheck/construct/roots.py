"""From which folders a module of the user can be imported: where initcheck was started, the folders above, and their `src`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from initcheck.construct.loader import package_of
from initcheck.errors import TargetError

_SCHEMES = ("torchvision", "timm", "hf")
_HIGHEST = 8
"""Folders above the working directory that are looked into."""


def imported(name: str) -> ModuleType:
    """The module, found also when initcheck runs inside of its package; `sys.path` is added to, which the guard restores.

    Raises:
        TargetError: when no folder holds it.
    """
    name, roots = _located(name)
    sys.path[:0] = [root for root in roots if root not in sys.path]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if missing != name and not name.startswith(f"{missing}."):
            raise  # the module is there, and imports something that is not
        raise _missing(name, missing) from error


def _located(name: str) -> tuple[str, list[str]]:
    """The full name of a module, and the folders to import it from; the name as it is for what is importable already.

    `models` inside of a package is `package.models`: imported under its short name its relative imports would fail.
    """
    first = name.partition(".")[0]
    here = Path.cwd()
    for folder in (here, *here.parents[:_HIGHEST]):
        for root in (folder, folder / "src"):
            if not _holds(root, first):
                continue
            package, top = package_of(root / "_")
            return (f"{package}.{name}" if package else name), [str(top)]
    return name, []


def _holds(root: Path, name: str) -> bool:
    """Whether a package (with or without `__init__.py`) or a module of this name lies in a folder."""
    if (root / f"{name}.py").is_file() or (root / name / "__init__.py").is_file():
        return True
    return (root / name).is_dir() and any((root / name).glob("*.py"))


def _missing(name: str, missing: str) -> TargetError:
    import difflib

    top = missing.partition(".")[0]
    close = difflib.get_close_matches(name, _SCHEMES, 1, 0.8)
    if close:
        return TargetError(f"cannot import {name}: there is no such module", f"did you mean {close[0]}:...?", name="missing-import")
    if missing != top:
        folder = _folder_of(missing.rpartition(".")[0])
        offered = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__") if folder is not None else []
        near = difflib.get_close_matches(missing.rpartition(".")[2], offered, 1)
        hint = f"did you mean {missing.rpartition('.')[0]}.{near[0]}?" if near else f"it offers: {', '.join(offered) or 'no modules'}"
        return TargetError(
            f"cannot import {name}: {missing.rpartition('.')[0]} has no module {missing.rpartition('.')[2]}", hint, name="missing-import"
        )
    here = Path.cwd()
    looked = [path for path in dict.fromkeys([str(here), *sys.path]) if path and Path(path).is_dir() and _of_the_user(path)]
    message = f"cannot import {name}: no module named {missing}\n  started in {here}\n  looked in {', '.join(looked)}, the folders above and their src/"
    hint = f"pip install -e .   (in the project of {top}), or: PYTHONPATH=path/to/the/folder/that/contains/{top} initcheck {name}:..."
    return TargetError(message, hint, name="missing-import")


def _folder_of(package: str) -> Path | None:
    module = sys.modules.get(package)
    places = list(getattr(module, "__path__", [])) if module is not None else []
    return Path(places[0]) if places else None


def _of_the_user(path: str) -> bool:
    return not path.startswith((sys.prefix, sys.base_prefix))
