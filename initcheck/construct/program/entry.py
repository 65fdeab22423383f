"""Runs a script or a module as `python` would: as `__main__`, with its own command line and search path."""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from initcheck.construct.guard import changed
from initcheck.errors import TargetError
from initcheck.records.target import Target

MODULE = "-m"
"""The `qualname` of a target whose `path` is the name of a module, as after `python -m`."""


@contextlib.contextmanager
def main_module(target: Target) -> Iterator[types.ModuleType]:
    """An empty module that stands as `__main__`, with `sys.argv` and `sys.path` as the program expects them.

    The working directory, the search path and the former `__main__` come back afterwards.
    """
    module = types.ModuleType("__main__")
    arguments = [str(argument) for argument in json.loads(target.arguments or "[]")]
    first = Path.cwd() if target.qualname == MODULE else Path(target.path).resolve()
    folder = first if first.is_dir() else first.parent
    path, place = list(sys.path), Path.cwd()
    before = sys.modules.get("__main__")
    sys.modules["__main__"] = module
    sys.path.insert(0, str(folder))
    try:
        with changed(sys, "argv", [target.path, *arguments]):
            yield module
    finally:
        sys.path[:] = path
        os.chdir(place)
        if before is not None:
            sys.modules["__main__"] = before


def execute(target: Target, module: types.ModuleType) -> None:
    """Executes the program in the module; whatever it raises comes through.

    Raises:
        TargetError: when there is no such script or module.
    """
    code = _module_code(target.path, module) if target.qualname == MODULE else _script_code(Path(target.path), module)
    exec(code, module.__dict__)  # noqa: S102  (running the user's program is what was asked for)


def _script_code(path: Path, module: types.ModuleType) -> types.CodeType:
    file = (path / "__main__.py" if path.is_dir() else path).absolute()
    try:
        source = file.read_bytes()
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror}", "check the path and its permissions", name="file-missing") from error
    space = module.__dict__
    space.update(__file__=str(file), __cached__=None, __package__="" if path.is_dir() else None)
    space["__loader__"] = importlib.machinery.SourceFileLoader("__main__", str(file))
    return compile(source, str(file), "exec", dont_inherit=True)


def _module_code(name: str, module: types.ModuleType) -> types.CodeType:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        spec = None
    if spec is not None and spec.submodule_search_locations is not None:
        return _module_code(f"{name}.__main__", module)
    loader: Any = spec.loader if spec is not None else None
    code: types.CodeType | None = loader.get_code(name) if hasattr(loader, "get_code") else None
    if spec is None or code is None:
        hint = f"initcheck run {name}" if name.endswith(".py") else "run it from the folder that holds the package, or give the file itself"
        raise TargetError(f"no module {name} is found from {Path.cwd()}", hint, name="module-missing")
    sys.argv[0] = spec.origin or name
    space = module.__dict__
    space.update(__file__=spec.origin, __cached__=spec.cached, __package__=spec.parent, __loader__=loader, __spec__=spec)
    return code
