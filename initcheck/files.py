"""Files that appear whole or not at all: written beside their place, flushed to the disk, and put there in one step."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SUFFIX = ".initcheck-new"
"""The ending of a draft; a process that was killed may leave one behind, beside the untouched file."""


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """An empty file beside `path` that takes its place at the end of the block, or leaves nothing when it is still empty or the block fails.

    Raises:
        OSError: when there can be no such file.
    """
    made = draft(path)
    try:
        yield made
        if made.stat().st_size:
            settle(made, path)
    finally:
        made.unlink(missing_ok=True)


def place(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Writes a file whole. What is no file (a terminal, a pipe) is written to as it is.

    `lasting` waits until it is on the disk, which what can be made again at any time need not.

    Raises:
        OSError: when it cannot be written; nothing is left of it then.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(content)
        return
    made = draft(path)
    try:
        made.write_bytes(content)
        settle(made, path, lasting=lasting)
    finally:
        made.unlink(missing_ok=True)


def draft(path: Path) -> Path:
    """An empty file in the folder of `path`, links followed, with the mode of the file that it is to replace, or of a new one."""
    goal = path.resolve()
    mode = stat.S_IMODE(goal.stat().st_mode) if goal.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=goal.parent, prefix=f".{goal.name}.", suffix=SUFFIX)
    os.close(handle)
    made = Path(name)
    made.chmod(mode)
    return made


def settle(made: Path, path: Path, *, lasting: bool = True) -> None:
    """Puts a draft in its place, for good unless that does not matter."""
    goal = path.resolve()
    if lasting:
        flush(made)
    made.replace(goal)
    if lasting:
        with suppress(OSError):
            flush(goal.parent)  # makes the new name last; a system that cannot do this for folders does without


def flush(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
