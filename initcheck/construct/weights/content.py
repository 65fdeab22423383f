"""What a file of weights holds, told from its first bytes: an ending can be wrong, and a download can be something else."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

from initcheck.errors import TargetError

Content = Literal["safetensors", "archive", "pickle"]

_HEADER = 8
_LARGEST_HEADER = 100_000_000
"""Bytes of the longest header that safetensors itself accepts."""


def content_of(path: str) -> Content:
    """The format of a file.

    Raises:
        TargetError: when it cannot be read, is empty, or is something else.
    """
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror}", "check the path and its permissions", name="file-missing") from error
    if not size:
        raise damaged(path, "it is empty")
    if start.startswith(b"version https://git-lfs"):
        raise damaged(path, "it is a Git LFS pointer, not the weights", f"git lfs pull --include {path}")
    if start.lstrip()[:14].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise damaged(path, "it is a web page, not the weights", "download the file itself, not the page about it")
    if start.startswith((b"GGUF", b"\x89HDF")):
        message = f"cannot read {path}: it was written by another program, not by torch or safetensors"
        raise TargetError(message, "name the file that defines the model: initcheck model.py::Net", name="not-python")
    if start.startswith(b"PK"):
        return "archive"
    if start[:1] == b"\x80":
        return "pickle"
    if len(start) > _HEADER and start[_HEADER:].lstrip()[:1] == b"{":
        return _safetensors(path, start, size)
    raise damaged(path, "its first bytes are those of no file that torch or safetensors writes")


def damaged(path: str, why: str, hint: str = "") -> TargetError:
    """The error for a file that does not hold what it should."""
    return TargetError(f"cannot read {path}: {why}", hint or f"fetch or save it again: ls -l {path}", name="damaged")


def _safetensors(path: str, start: bytes, size: int) -> Content:
    (length,) = struct.unpack("<Q", start[:_HEADER])
    if length > _LARGEST_HEADER:
        raise damaged(path, f"its header would be {length:,} bytes long")
    if _HEADER + length > size:
        raise damaged(path, f"it breaks off in its header: {size:,} bytes of at least {_HEADER + length:,}")
    return "safetensors"
