"""The kept statements of a user's file as code, and the module in which they run."""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.util
import itertools
import linecache
import os
import sys
import types
from dataclasses import dataclass
from pathlib import Path

from initcheck.errors import TargetError
from initcheck.records.target import Recipe
from initcheck.source.flattening import flattened
from initcheck.source.reading import handed_over, is_notebook, python_source

_count = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Script:
    """The two parts of a slice as code: what runs before the model's call, and what is done to the model afterwards."""

    before: types.CodeType
    after: types.CodeType


def code_of(path: str, recipe: Recipe) -> Script:
    """The statements that the recipe keeps, compiled with the lines of the file, so that frames and tracebacks point into it.

    Raises:
        TargetError: when the file is gone or is no longer the one that the recipe was made of.
    """
    try:
        source = python_source(path)
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror}", "check the path and its permissions", name="file-missing") from error
    if recipe.digest and hashlib.blake2b(source, digest_size=8).hexdigest() != recipe.digest:
        raise TargetError(f"{path} changed while it was read", "run initcheck again", name="changed")
    if is_notebook(path) or handed_over(path):
        # what reads source lines by the name of the file would read the wrong ones; no time of change: never looked up again
        lines = importlib.util.decode_source(source).splitlines(keepends=True)
        linecache.cache[path] = (len(source), None, lines, path)
    body = flattened(ast.parse(source, path), recipe.chain).body

    def compiled(positions: tuple[int, ...]) -> types.CodeType:
        kept = [_without(body[index], recipe.unneeded) for index in positions]
        return compile(ast.Module(body=kept, type_ignores=[]), path, "exec")

    return Script(compiled(recipe.keep), compiled(recipe.after))


def _without(statement: ast.stmt, names: tuple[str, ...]) -> ast.stmt:
    """An import without the names that nobody needs; any other statement as it is."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)) and getattr(statement, "module", "") != "__future__":
        statement.names = [item for item in statement.names if (item.asname or item.name.split(".")[0]) not in names] or statement.names
    return statement


def fresh_module(path: str) -> types.ModuleType:
    """An empty module for a file, registered under a name of its own: never `__main__`, never that of another run.

    It stays registered, because `inspect` and `typing` look classes up through `sys.modules`. A file inside a package gets that package,
    so that its relative imports work; the folder above the package is then put on `sys.path`, which the guard restores.
    """
    package, root = package_of(Path(path).resolve())
    if not package:
        package, root = _namespace(Path(path).resolve())
    name = f"_initcheck_{Path(path).stem}_{next(_count)}"
    module = types.ModuleType(f"{package}.{name}" if package else name)
    module.__file__ = path
    if package:
        module.__package__ = package
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None, origin=path)
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
    sys.modules[module.__name__] = module
    return module


def package_of(path: Path) -> tuple[str, Path]:
    """The dotted package that a file belongs to (empty if to none), and the folder from which that package is imported."""
    parts: list[str] = []
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def _namespace(path: Path) -> tuple[str, Path]:
    """As `package_of`, for a file that imports relatively although no folder above it has an `__init__.py`."""
    tree = ast.parse(path.read_bytes()) if path.suffix == ".py" and path.is_file() else ast.Module([], [])
    level = max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)
    folders = [path.parent, *path.parent.parents][:level]
    if not level or len(folders) < level or not all(folder.name.isidentifier() for folder in folders):
        return "", path.parent
    return ".".join(folder.name for folder in reversed(folders)), folders[-1].parent


def modules_below(folder: Path) -> frozenset[str]:
    """The names of the loaded modules whose files lie in a folder or below it, installed packages left out."""
    found: set[str] = set()
    start = f"{folder}{os.sep}"
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and "site-packages" not in file and file.startswith(start):
            found.add(name)
    return frozenset(found)
