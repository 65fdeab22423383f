"""Lines of a notebook's joined source, as cells and the lines in them: `nb.ipynb` line 57 becomes `nb.ipynb:cell 3` line 12.

Everything that reads or runs a notebook counts in the joined source; what is said to people goes through here once.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from initcheck.errors import InitcheckError
from initcheck.records.report import LayerSummary, ModelReport
from initcheck.records.source import Location
from initcheck.records.target import Built, Target
from initcheck.source.notebook import Notebook
from initcheck.source.reading import is_notebook, read_notebook

_LINE = re.compile(r"\bline (\d+)\b")


@contextmanager
def told_in_cells(path: str) -> Iterator[None]:
    """Errors that pass through name the cells of the notebook at `path`; nothing changes for any other file."""
    try:
        yield
    except InitcheckError as error:
        places = _places(path) if is_notebook(path) else None
        if places is not None:
            error.message, error.hint = places.text(error.message), places.text(error.hint, bare=True)
            error.args = (error.message,)
        raise


def in_cells(report: ModelReport) -> ModelReport:
    """The report with all its places in cells, and a note for each cell that was left out; as it is, unless it is about a notebook."""
    places = _places(report.target.path) if is_notebook(report.target.path) else None
    if places is None:
        return report
    report = places.of(report)
    if report.built is None or not places.left_out:
        return report
    return dataclasses.replace(report, built=dataclasses.replace(report.built, notes=(*report.built.notes, *places.left_out)))


def left_out(path: str) -> str:
    """What to add to a message that says that nothing was found in a notebook: cells that could not be read."""
    places = _places(path) if is_notebook(path) else None
    return "".join(f"; {note}" for note in places.left_out) if places is not None else ""


def _places(path: str) -> _Places | None:
    try:
        return _Places(path, read_notebook(path))
    except (OSError, InitcheckError):
        return None  # gone or changed since: the lines stay those of the joined source


class _Places:
    """The cells of one notebook."""

    def __init__(self, path: str, book: Notebook) -> None:
        self._path = path
        self._book = book
        names = {path, os.path.relpath(path), str(Path(path).resolve())}
        longest = sorted(names, key=len, reverse=True)
        self._mention = re.compile(rf"({'|'.join(map(re.escape, longest))}):(\d+)")
        self._names = names
        self.left_out = tuple(f"cell {cell.number} was left out: {cell.problem}" for cell in book.cells if cell.problem)

    def of(self, value: Any) -> Any:
        """The same record with every place in it in cells."""
        if isinstance(value, Location):
            path, line = self._place(value.path, value.line)
            return dataclasses.replace(value, path=path, line=line)
        if isinstance(value, LayerSummary):
            path, line = self._place(value.path, value.line)
            return dataclasses.replace(value, path=path, line=line)
        if isinstance(value, Built):
            value = dataclasses.replace(value, skipped=tuple(map(self._bare, value.skipped)), notes=tuple(map(self._bare, value.notes)))
        if isinstance(value, Target):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return tuple(map(self.of, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        return value

    def text(self, text: str, *, bare: bool = False) -> str:
        """A text in which `nb.ipynb:57` (and `line 57`, if bare ones are meant) became the cell and its line."""
        text = self._mention.sub(lambda match: ":".join(map(str, self._place(match[1], int(match[2])))), text)
        return self._bare(text) if bare else text

    def _record(self, value: Any) -> Any:
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        changed = {name: new for name, old in fields.items() if (new := self.of(old)) is not old and new != old}
        return dataclasses.replace(value, **changed) if changed else value

    def _bare(self, text: str) -> str:
        def placed(match: re.Match[str]) -> str:
            cell = self._book.at(int(match[1]))
            return match[0] if cell is None else f"cell {cell.number}, line {int(match[1]) - cell.first + 1}"

        return _LINE.sub(placed, text)

    def _place(self, path: str, line: int) -> tuple[str, int]:
        cell = self._book.at(line) if path in self._names else None
        return (path, line) if cell is None else (f"{path}:cell {cell.number}", line - cell.first + 1)
