"""The one error about everything that a model needs and that is not installed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.packages import install_command, looks_local
from initcheck.errors import TargetError

_OWN_STEPS = (str(Path(__file__).parent), str(Path(__file__).parents[1] / "recording" / "placement.py"))
"""Where frames of initcheck lie between the user's code and this module."""


class Site(NamedTuple):
    """A line of the user's own code."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}"


class MissingImport(TargetError):
    """A model depends on something that is not installed."""

    name = "missing-import"


class MissingAttribute(MissingImport, AttributeError):  # type: ignore[misc]  # (the name is that of the page)
    """The same, for an attribute, so that `hasattr` answers no."""


def needed(name: str, package: str, site: Site | None, kind: type[MissingImport] = MissingImport) -> MissingImport:
    """The error for a model that needs `name` of a package (or of a file of the user) that is not there."""
    where = f"{site} needs" if site else "the model needs"
    plain = name.split("(", 1)[0].split("[", 1)[0]
    if looks_local(package):
        beside = f"beside {shown(site.path)}" if site else "beside it"
        message = f"{where} {plain}; there is no file {package}.py {beside} and no package of that name"
        return kind(message, f"put {package}.py there, or run initcheck from the folder that holds it")
    return kind(f"{where} {plain}, which is not installed", install_command(package))


def shown(path: str) -> str:
    """A path as the user would type it."""
    if not Path(path).is_absolute():
        return path
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def user_frame() -> FrameType | None:
    """The nearest frame of the user's own code, None when there is none below what initcheck itself runs."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (inspect's public wrapper does not take a depth)
    while frame is not None and frame.f_code.co_filename.startswith(_OWN_STEPS):
        frame = frame.f_back
    while frame is not None:
        kind = kind_of(frame.f_code)
        if kind is Kind.USER:
            return frame
        if kind is Kind.OWN:
            return None
        frame = frame.f_back
    return None


def while_importing() -> bool:
    """Whether what runs belongs to a module that the user's line only imports."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None and kind_of(frame.f_code) is not Kind.USER:
        if frame.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
            return True
        frame = frame.f_back
    return False


def user_site() -> Site | None:
    """The line that is running in it."""
    frame = user_frame()
    return Site(frame.f_code.co_filename, frame.f_lineno) if frame is not None else None
