"""What the program itself calls a model, and the expression that built it."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Mapping
from types import FrameType, ModuleType
from typing import Any

import torch

from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.records.source import Location

_ASSIGNED = re.compile(r"^\s*(?:[\w.]+\.)?([^\W\d]\w*)\s*(?::[^=]*)?=(?!=)")
LONGEST = 60
"""Characters of an expression that are shown."""


def names_in(frame: FrameType | None) -> dict[int, str]:
    """Names of modules by identity: local ones of the user's frames, outermost first, then members of the objects there."""
    found: dict[int, str] = {}
    frames = list(_users(frame))
    for one in reversed(frames):
        _collect(one.f_locals, found)
    for one in reversed(frames):
        for value in list(one.f_locals.values()):
            # the type is asked, not the value, which may be a proxy that does something when it is looked at
            if "__dict__" in dir(type(value)) and not issubclass(type(value), (type, ModuleType, torch.nn.Module)):
                space = vars(value)
                _collect(space if isinstance(space, dict) else {}, found)
    return found


def names_of(space: Mapping[str, Any]) -> dict[int, str]:
    """The same for one namespace."""
    found: dict[int, str] = {}
    _collect(space, found)
    return found


def assigned_name(place: Location | None) -> str:
    """The name on the left of the line, empty for none."""
    match = _ASSIGNED.match(linecache.getline(place.path, place.line)) if place is not None else None
    return match[1] if match is not None else ""


def expression(place: Location | None) -> str:
    """The text of a call whose place is known with its columns; empty when it is not."""
    if place is None or not place.column:
        return ""
    line = linecache.getline(place.path, place.line)
    text = line[place.column - 1 : place.end_column - 1].strip() if place.end_column else f"{line[place.column - 1 :].strip()} …"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _users(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        if kind_of(frame.f_code) is Kind.USER:
            yield frame
        frame = frame.f_back


def _collect(space: Mapping[str, Any], found: dict[int, str]) -> None:
    for name, value in list(space.items()):
        if issubclass(type(value), torch.nn.Module) and name != "self" and not name.startswith("__"):
            found.setdefault(id(value), name)
