"""Files written whole or not at all: a draft in the same folder, flushed to the disk, then put in the place of the old file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from initcheck.errors import TargetError
from initcheck.files import draft, flush


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
    made: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, content in files.items():
            place = Path(path).resolve()
            if place.read_bytes() != expected[path]:
                raise TargetError(f"{path} changed while it was being fixed; nothing was written", "run the fix again", name="changed")
            made[place] = _draft(place, content)
        for place, new in made.items():
            new.replace(place)
            done.append(place)
        for folder in {place.parent for place in made}:
            with suppress(OSError):
                flush(folder)
    except OSError as error:
        _put_back(done, files, expected)
        where = error.filename2 or error.filename or next(iter(files))
        raise TargetError(f"cannot write {where}: {error.strerror or error}", "check the permissions", name="not-writable") from error
    finally:
        for new in made.values():
            with suppress(OSError):
                new.unlink(missing_ok=True)


def _draft(place: Path, content: bytes) -> Path:
    """A finished file beside the one that it is to replace."""
    made = draft(place)
    try:
        made.write_bytes(content)
        flush(made)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def _put_back(done: list[Path], files: Mapping[str, bytes], expected: Mapping[str, bytes]) -> None:
    old = {Path(path).resolve(): expected[path] for path in files}
    for place in done:
        with suppress(OSError):
            _draft(place, old[place]).replace(place)
