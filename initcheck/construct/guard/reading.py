"""What a target read while it was built and run: files, folders that were listed, and modules; installed packages left out."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

_OWN = f"{Path(__file__).parents[2]}{os.sep}"
_STANDARD = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_KERNEL = ("/proc/", "/sys/", "/dev/")
_PACKAGES = ("site-packages", "dist-packages")
_LISTING = ("os.listdir", "os.scandir")

_read: set[tuple[str, str]] = set()


def observe(event: str, args: tuple[Any, ...]) -> None:
    """Keeps what an audit event says about reading."""
    if event == "open":
        if isinstance(args[0], (str, bytes)):
            _read.add(("file", _full(args[0])))
    elif event in _LISTING and (not args or args[0] is None or isinstance(args[0], (str, bytes))):
        _read.add(("folder", _full(args[0] if args and args[0] else ".")))


def looked_for(path: str | os.PathLike[str]) -> None:
    """Says that the result depends on whether there is such a file."""
    _read.add(("file", _full(os.fspath(path))))


def all_read(before: frozenset[str], scratch: str) -> list[tuple[str, str]]:
    """("file" or "folder", path) pairs: all that was observed, and the modules that were not there `before`."""
    modules = {("file", file) for name in set(sys.modules) - before if isinstance(file := _file_of(name), str)}
    return sorted((kind, path) for kind, path in _read | modules if _counts(path, scratch))


def _file_of(name: str) -> object:
    return getattr(sys.modules.get(name), "__dict__", {}).get("__file__")


def _full(path: str | bytes) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100  (links are followed when the file is read)


def _counts(path: str, scratch: str) -> bool:
    """Whether a path is the user's: not a package, not the library, no bytecode, nothing that the target wrote itself."""
    if not os.path.isabs(path) or path.endswith((".pyc", ".pyo")) or (scratch and path.startswith(scratch)):  # noqa: PTH117
        return False
    return not path.startswith((_OWN, *_STANDARD, *_KERNEL)) and not any(name in path for name in _PACKAGES)
