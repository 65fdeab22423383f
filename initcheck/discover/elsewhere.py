"""Where other files of a project call a class or function: scripts, tests, notebooks' exports, examples in documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from initcheck.discover import files, shown
from initcheck.source.calls import last_name, unsettled

_FILES = 300
_BYTES = 300_000
_SITES = 3
_ROOTS = (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
_FENCE = re.compile(r"```(?:python|py)?\n(.*?)```", re.DOTALL)
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.) ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Site:
    """A call in another file, with the values of that file's constants and command line options."""

    path: str
    line: int
    call: ast.Call
    local: Mapping[str, ast.expr] = field(default_factory=dict)
    options: Mapping[str, ast.expr] = field(default_factory=dict)


class Project:
    """The other files around a file, read when they are first asked for."""

    def __init__(self, path: str) -> None:
        self._own = Path(path).resolve()

    @cached_property
    def _texts(self) -> tuple[tuple[Path, str], ...]:
        return tuple((path, _text(path)) for path in _around(self._own))

    def sites(self, name: str) -> tuple[Site, ...]:
        """The calls of `name`: first those with the fewest arguments that are no literals.

        A Python file counts when it imports the name or the file; documentation counts when it shows a call in a block of code.
        """
        found: list[Site] = []
        for other, text in self._texts:
            if f"{name}(" in text:
                found += _in_python(other, text, name, self._own.stem) if other.suffix == ".py" else _in_prose(other, text, name)
        return tuple(sorted(found, key=lambda site: (unsettled(site.call), len(site.path), site.line))[:_SITES])


def in_docstrings(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    """The calls of `name` behind `>>>` in the docstrings of a file."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            for call in _parsed_calls("\n".join(_PROMPT.findall(ast.get_docstring(node) or "")), name):
                call.lineno = getattr(node, "lineno", 1)
                yield call


def _around(own: Path) -> Iterator[Path]:
    root = next((folder for folder in [*own.parents][:4] if any((folder / mark).exists() for mark in _ROOTS)), own.parent)
    count = 0
    for path in files.python_files(root):
        if Path(path) != own and count < _FILES:
            count += 1
            yield Path(path)
    yield from sorted(root.glob("*.md"))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _in_python(path: Path, text: str, name: str, stem: str) -> Iterator[Site]:
    try:
        tree = files.parse(text, str(path))
    except (SyntaxError, ValueError):
        return
    if not _imports(tree, name, stem):
        return
    local, options = shown.constants(tree), shown.options(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) == name:
            call = ast.Call(ast.Name(name, ast.Load()), node.args, node.keywords)
            yield Site(_short(path), node.lineno, ast.copy_location(call, node), local, options)


def _in_prose(path: Path, text: str, name: str) -> Iterator[Site]:
    for match in _FENCE.finditer(text):
        first = text.count("\n", 0, match.start(1))
        block = match[1]
        code = "\n".join(_PROMPT.findall(block)) if ">>>" in block else block
        for call in _parsed_calls(code, name):
            yield Site(_short(path), first + call.lineno, call)


def _parsed_calls(code: str, name: str) -> Iterator[ast.Call]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) == name:
            yield ast.copy_location(ast.Call(ast.Name(name, ast.Load()), node.args, node.keywords), node)


def _imports(tree: ast.Module, name: str, stem: str) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named = {alias.name for alias in node.names}
            if name in named or stem in named or ("*" in named and (node.module or "").endswith(stem)):
                return True
        elif isinstance(node, ast.Import) and any(alias.name.split(".")[-1] == stem for alias in node.names):
            return True
    return False


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
