"""IDX files, the format of MNIST and its kin: reading with every promise of the header checked, and writing."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from initcheck.errors import TargetError

Bytes = NDArray[np.uint8]

_UNSIGNED = 8
_GZIP = b"\x1f\x8b"


def read(path: Path) -> Bytes:
    """The array of one file, packed by gzip or not.

    Raises:
        TargetError: when the file cannot be read or is not what its header says.
    """
    arrays = unpacked(_content(path), str(path))
    if len(arrays) != 1:
        raise _damaged(str(path), f"{len(arrays)} arrays lie in it, one after the other")
    return arrays[0]


def unpacked(data: bytes, name: str) -> list[Bytes]:
    """The arrays that lie one after the other in these bytes.

    Raises:
        TargetError: when a header or a length is wrong; names `name`.
    """
    arrays: list[Bytes] = []
    at = 0
    while at < len(data) or not arrays:
        array, at = _one(data, at, name)
        arrays.append(array)
    return arrays


def packed(array: Bytes) -> bytes:
    """One array of bytes as IDX."""
    whole = np.ascontiguousarray(array, dtype=np.uint8)
    return struct.pack(f">BBBB{whole.ndim}I", 0, 0, _UNSIGNED, whole.ndim, *whole.shape) + whole.tobytes()


def _one(data: bytes, at: int, name: str) -> tuple[Bytes, int]:
    if len(data) - at < 4:
        raise _damaged(name, f"it ends after {len(data)} bytes, before its header does")
    zeros, kind, axes = struct.unpack_from(">HBB", data, at)
    if zeros or kind != _UNSIGNED or not 1 <= axes <= 4:
        shown = data[at : at + 4].hex(" ")
        raise _damaged(name, f"its first bytes are {shown}, where IDX has 00 00 08 and the number of axes")
    begin = at + 4 + 4 * axes
    if len(data) < begin:
        raise _damaged(name, f"it ends after {len(data)} bytes, before its header does")
    shape = struct.unpack_from(f">{axes}I", data, at + 4)
    size = math.prod(shape)
    if len(data) < begin + size:
        sizes = " x ".join(map(str, shape))
        raise _damaged(name, f"its header promises {sizes} = {size:,} bytes and {len(data) - begin:,} follow")
    return np.frombuffer(data, np.uint8, size, begin).reshape(shape), begin + size


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == _GZIP else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(str(path), f"its gzip packing is broken: {error}") from error
    except OSError as error:
        raise TargetError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its permissions", name="file-missing"
        ) from error


def _damaged(name: str, what: str) -> TargetError:
    hint = "fetch it again, and compare its size with that of the original"
    return TargetError(f"cannot read {name} as an IDX file: {what}", hint, name="damaged")
