"""Places in source files, and changes to them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file; lines and columns count from 1, 0 means not known."""

    path: str
    line: int
    column: int = 0
    end_column: int = 0
    function: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of the characters `start` to `end` of a file."""

    path: str
    start: int
    end: int
    text: str
