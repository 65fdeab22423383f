"""Files written whole or not at all: a draft in the same folder, flushed to the disk, then put in the place of the old file."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from initcheck.errors import TargetError

SUFFIX = ".initcheck-new"
"""The ending of a draft; a process that was killed may leave one behind, beside the untouched file."""


def write(files: Mapping[str, bytes], expected: Mapping[str, bytes]) -> None:
    """Gives several files new contents: all of them, or none.

    Modes are kept, links are followed. A process that ends in the middle leaves each file as it was or as it was to become, never
    in between; an error on the way gives the files that were written already their old contents back.

    Args:
        files: the new contents.
        expected: what each file must hold now.

    Raises:
        TargetError: when a file holds something else, or cannot be written.
    """
    drafts: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, content in files.items():
            place = Path(path).resolve()
            if place.read_bytes() != expected[path]:
                raise TargetError(f"{path} changed while it was being fixed; nothing was written", "run the fix again", name="changed")
            drafts[place] = _draft(place, content)
        for place, draft in drafts.items():
            draft.replace(place)
            done.append(place)
        for folder in {place.parent for place in drafts}:
            _flush(folder)
    except OSError as error:
        _put_back(done, files, expected)
        where = error.filename2 or error.filename or next(iter(files))
        raise TargetError(f"cannot write {where}: {error.strerror or error}", "check the permissions", name="not-writable") from error
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _draft(place: Path, content: bytes) -> Path:
    """A finished file beside the one that it is to replace."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=SUFFIX)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(stat.S_IMODE(place.stat().st_mode))
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _put_back(done: list[Path], files: Mapping[str, bytes], expected: Mapping[str, bytes]) -> None:
    old = {Path(path).resolve(): expected[path] for path in files}
    for place in done:
        with suppress(OSError):
            _draft(place, old[place]).replace(place)


def _flush(folder: Path) -> None:
    """Makes the new names last; a system that cannot do this for folders does without."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
