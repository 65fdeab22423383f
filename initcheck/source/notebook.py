"""A Jupyter notebook as Python source: its code cells one below the other, without what only IPython understands."""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass
from typing import Any

from initcheck.errors import TargetError

SUFFIX = ".ipynb"
"""The ending of a notebook's name."""

_RUN_THEIR_CELL = frozenset({"time", "capture", "prun", "debug", "wandb"})
"""Cell magics below which stands Python that takes effect in the notebook; the cells of all others are no part of it."""

_ASSIGNED = re.compile(r"^(\s*)([^=!%()\"'#]+?)\s*=\s*([!%])(.+)$")
_HELP = re.compile(r"^\s*%{0,2}[\w.*]+\?{1,2}\s*$")
_TIMED = re.compile(r"^(\s*)%time\s+(.+)$")


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell: its position among all cells, its lines as written and as plain Python, and the first one's line in the whole.

    `problem` says why the cell was left out, empty when it was not.
    """

    number: int
    first: int
    written: tuple[str, ...]
    python: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code cells of a notebook in order."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The Python source of all cells."""
        return "".join(f"{line}\n" for cell in self.cells for line in cell.python)

    def at(self, line: int) -> Cell | None:
        """The cell that a line of the source (from 1) lies in."""
        return next((cell for cell in self.cells if cell.first <= line < cell.first + len(cell.python)), None)

    def cell(self, number: int) -> Cell | None:
        """The code cell at a position."""
        return next((cell for cell in self.cells if cell.number == number), None)


def parse(data: bytes, path: str) -> Notebook:
    """The notebook that these bytes hold; a cell that is no valid Python is left out, as it would fail alone.

    Raises:
        TargetError: when the bytes are no notebook, or its language is not Python.
    """
    try:
        document = json.loads(data)
        found = list(_sources(document))
        language = _language(document)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        cause = f"{type(error).__name__}: {error}"
        raise TargetError(
            f"cannot read {path}: it is no Jupyter notebook ({cause})", "open it in Jupyter and save it again", name="not-python"
        ) from error
    if not language.startswith(("python", "ipython")):
        message = f"cannot read {path}: it is a notebook in {language}, not in Python"
        raise TargetError(message, "name the file that defines the model: initcheck model.py::Net", name="not-python")
    cells: list[Cell] = []
    line = 1
    for number, source in found:
        written = tuple(source.splitlines()) or ("",)
        python, problem = _understood(written)
        cells.append(Cell(number, line, written, python, problem))
        line += len(python)
    return Notebook(tuple(cells))


def _sources(document: Any) -> list[tuple[int, str]]:
    """Position (from 1) and text of the code cells, of the present format and the one before it."""
    if "cells" in document:
        cells, key = document["cells"], "source"
    else:
        cells, key = [cell for sheet in document["worksheets"] for cell in sheet["cells"]], "input"
    return [
        (number, "".join(cell[key]) if isinstance(cell[key], list) else str(cell[key]))
        for number, cell in enumerate(cells, 1)
        if cell["cell_type"] == "code"
    ]


def _language(document: Any) -> str:
    about = document.get("metadata") or {}
    found = (about.get("language_info") or {}).get("name") or (about.get("kernelspec") or {}).get("language")
    return str(found or "python").lower()


def _understood(written: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The lines as plain Python, as many as were written, and what is wrong with them."""
    blank = ("",) * len(written)
    if not _error(written):
        return written, ""
    lines = list(written)
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        name = lines[first][2:].split(" ")[0]
        if name not in _RUN_THEIR_CELL:
            return blank, ""
        lines[first] = ""
    plain = tuple(_without_magics(lines))
    problem = _error(plain)
    return (blank, problem) if problem else (plain, "")


def _error(lines: tuple[str, ...]) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse("\n".join(lines))
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _without_magics(lines: list[str]) -> list[str]:
    reader = _Reader()
    plain = []
    for line in lines:
        here = line if reader.inside else _plain(line)
        reader.read(here)
        plain.append(here)
    return plain


def _plain(line: str) -> str:
    """A line at which a statement begins, in Python: help, magics and shell commands are dropped."""
    bare = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    timed = _TIMED.match(line)
    if timed:
        return f"{timed[1]}{timed[2]}"
    if bare.startswith(("%", "!", "?")) or _HELP.match(line):
        return f"{indent}pass" if indent else ""
    assigned = _ASSIGNED.match(line)
    if assigned and not assigned[4].startswith("="):
        way = "getoutput" if assigned[3] == "!" else "magic"
        return f"{assigned[1]}{assigned[2]} = get_ipython().{way}({assigned[4].strip()!r})"
    return line


class _Reader:
    """Follows Python line by line, so that a `%` in the middle of a string or an expression is known for what it is."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._continued = False

    @property
    def inside(self) -> bool:
        """Whether the next line goes on with what the last one began."""
        return bool(self._quote or self._depth or self._continued)

    def read(self, line: str) -> None:
        """Takes one more line."""
        at, comment = 0, False
        while at < len(line) and not comment:
            at, comment = self._step(line, at)
        if len(self._quote) == 1 and not line.endswith("\\"):
            self._quote = ""
        self._continued = not comment and line.endswith("\\")

    def _step(self, line: str, at: int) -> tuple[int, bool]:
        if self._quote:
            if line[at] == "\\":
                return at + 2, False
            if line.startswith(self._quote, at):
                at += len(self._quote)
                self._quote = ""
                return at, False
            return at + 1, False
        if line[at] in "\"'":
            self._quote = line[at] * 3 if line.startswith(line[at] * 3, at) else line[at]
            return at + len(self._quote), False
        self._depth = max(self._depth + (line[at] in "([{") - (line[at] in ")]}"), 0)
        return at + 1, line[at] == "#"
