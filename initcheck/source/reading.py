"""The Python source that a path stands for: the bytes of a file, the code of a notebook, or a text that was handed over in its place."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from initcheck.errors import TargetError
from initcheck.source import notebook

_CELL = re.compile(rf"^(.+{re.escape(notebook.SUFFIX)}):cell (\d+)$", re.DOTALL)
_handed: dict[str, bytes] = {}


def hand_over(path: str, source: bytes) -> None:
    """From now on this source stands for the path, whatever lies there (what came on standard input, for an editor's unsaved file)."""
    _handed[path] = source


def take_back(path: str) -> None:
    """From now on the path stands for what lies there."""
    _handed.pop(path, None)


def handed_over(path: str) -> bool:
    """Whether a source was handed over for this path."""
    return _key(path) in _handed


def exists(path: str) -> bool:
    """Whether there is a source for the path."""
    return handed_over(path) or Path(path).is_file()


def python_source(path: str) -> bytes:
    """The source in Python.

    Raises:
        OSError: when there is no such file.
        TargetError: when a notebook cannot be read.
    """
    data = _data(path)
    return notebook.parse(data, path).text.encode() if is_notebook(path) else data


def read_notebook(path: str) -> notebook.Notebook:
    """The cells of a notebook.

    Raises:
        OSError: when there is no such file.
        TargetError: when it is no notebook in Python.
    """
    return notebook.parse(_data(path), path)


def is_notebook(path: str) -> bool:
    """Whether a path is that of a notebook, by its ending."""
    return path.endswith(notebook.SUFFIX)


def cell_of(path: str) -> tuple[str, int]:
    """The notebook and the number of the cell that `nb.ipynb:cell 3` names; any other path as it is, with 0."""
    match = _CELL.match(path)
    return (match[1], int(match[2])) if match else (path, 0)


def encoding_of(source: bytes) -> str:
    """How a Python source is encoded: UTF-8, or what PEP 263 declares.

    Raises:
        SyntaxError: for a declaration of an encoding that does not exist.
    """
    return tokenize.detect_encoding(io.BytesIO(source).readline)[0]


def shown_lines(path: str) -> list[str]:
    """The lines of a file or of one cell of a notebook (`nb.ipynb:cell 3`), as they were written; none when they cannot be read."""
    try:
        notebook_path, number = cell_of(path)
        if number:
            cell = read_notebook(notebook_path).cell(number)
            return list(cell.written) if cell is not None else []
        data = _data(path)
        return data.decode(encoding_of(data)).splitlines()
    except (OSError, SyntaxError, ValueError, TargetError):
        return []


def _data(path: str) -> bytes:
    key = _key(path)
    return _handed[key] if key in _handed else Path(path).read_bytes()


def _key(path: str) -> str:
    """The spelling of a path under which its source was handed over: this one, or the absolute one."""
    if path in _handed or not _handed:
        return path
    try:
        return str(Path(path).resolve())
    except (OSError, ValueError, RuntimeError):
        return path
