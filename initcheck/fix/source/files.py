"""Which files may be rewritten, and what they hold now: on the disk, or after changes that are not written yet."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from initcheck.errors import InitcheckError, TargetError
from initcheck.fix.source.text import Source, conflicted
from initcheck.records.source import Location
from initcheck.source.reading import cell_of, is_notebook

_MARKS = ("pyproject.toml", "initcheck.toml", "setup.py", ".git", ".hg")
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Refusal(Exception):
    """A source cannot be edited; the text says why."""


class Files:
    """The sources of one project, as far as they were asked for.

    roots: folders below which files may be changed. drafts: bytes that stand for files, by absolute path. began: nanoseconds of the clock
    when the check began, whose lines are only right for files that did not change since; 0 where that does not matter.
    """

    def __init__(self, roots: Iterable[Path], drafts: Mapping[str, bytes], began: int = 0) -> None:
        self.roots = tuple(roots)
        self.began = began
        self.drafts = dict(drafts)
        self._sources: dict[str, Source] = {}

    def source(self, path: str) -> Source:
        """The source at a path.

        Raises:
            Refusal: when it may not be edited, or cannot be.
            TargetError: when it holds the markers of an unfinished merge.
        """
        place = real(path)
        if place not in self._sources:
            self._refuse(path, place)
            self._sources[place] = self._opened(path, place)
        return self._sources[place]

    def located(self, place: Location) -> tuple[Source, Location]:
        """The source that a place lies in, and the place in its Python text (of a notebook: in that of all cells).

        Raises:
            Refusal: as `source`.
        """
        path, number = cell_of(place.path)
        source = self.source(path)
        if not number:
            return source, place
        cell = next((one for one in source.book.cells if one.number == number), None) if source.book is not None else None
        if cell is None:
            raise Refusal("the cell is gone")
        return source, replace(place, path=path, line=place.line + cell.first - 1)

    def _opened(self, path: str, place: str) -> Source:
        try:
            data = self.drafts[place] if place in self.drafts else Path(place).read_bytes()
            if self.began and place not in self.drafts and Path(place).stat().st_mtime_ns > self.began:
                raise TargetError(f"{path} changed while it was being checked; nothing was written", "run the fix again", name="changed")
            refuse_conflict(path, data)
            return Source.of(path, data)
        except OSError as error:
            raise Refusal(f"{path} cannot be read: {error.strerror or error}") from error
        except (SyntaxError, ValueError, RecursionError) as error:
            raise Refusal(f"{path} cannot be rewritten: {error}") from error
        except InitcheckError as error:
            if error.name in ("merge-conflict", "changed"):
                raise
            raise Refusal(error.message) from error

    def _refuse(self, path: str, place: str) -> None:
        if not path or path.startswith("<") or not (path.endswith(".py") or is_notebook(path)):
            raise Refusal("the line is in no Python file")
        if any(part in place for part in _INSTALLED) or place.startswith(_library()):
            raise Refusal(f"{shown(path)} belongs to an installed package, which is not edited")
        if not any(Path(place).is_relative_to(root) for root in self.roots):
            raise Refusal(f"{shown(path)} lies outside of the project in {', '.join(map(str, self.roots))}")


def refuse_conflict(path: str, data: bytes) -> None:
    """Turns down a file in the middle of a merge.

    Raises:
        TargetError: when it holds the markers of one.
    """
    if conflicted(data):
        message = f"{path} holds the markers of an unfinished merge; nothing was changed"
        raise TargetError(message, f"resolve it first: git mergetool {path}", name="merge-conflict")


def real(path: str) -> str:
    """The absolute path of a file, links resolved, of a cell that of its notebook."""
    return str(Path(cell_of(path)[0]).resolve())


def shown(path: str) -> str:
    """The path as one would write it from here."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd().resolve()))
    except (ValueError, OSError):
        return path


def root_of(path: str) -> Path:
    """The folder of the project that a file belongs to: the nearest with a configuration or a repository, else the file's own; of a folder itself."""
    place = Path(path).resolve()
    folder = place if place.is_dir() else place.parent
    found = next((one for one in (folder, *folder.parents) if any((one / mark).exists() for mark in _MARKS)), folder)
    return found if found != Path(found.anchor) else folder


def _library() -> tuple[str, ...]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    torch = getattr(sys.modules.get("torch"), "__file__", None)
    return tuple(f"{one}{os.sep}" for one in (*folders, str(Path(torch).parent) if torch else "") if one)
