"""Whole sets of images fetched once, each file checked and put in its place in one step, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from initcheck.errors import InitcheckError, UsageError
from initcheck.verify.data.sets import FILES, FOLDERS

PATIENCE = 30.0
"""Seconds without an answer after which a server is given up."""

SOURCES: Mapping[str, tuple[str, tuple[str, str, str, str]]] = MappingProxyType(
    {
        "mnist": (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
        "fashion": (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
        "kmnist": (
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            (
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
        ),
    }
)
"""Where the packed files of each set lie, and their MD5 sums, in the order of `FILES`; the same as torchvision's."""


def fetch(name: str, folder: Path, tell: Callable[[str], None]) -> None:
    """Puts the four files of a set into `folder` (torchvision's `raw`), those that are there already left alone.

    Raises:
        InitcheckError: `download-failed`, when a server cannot be reached or sends something else; no part of a file is left then.
        UsageError: when the folder cannot be written to.
    """
    address, sums = SOURCES[name]
    for file, digest in zip(FILES, sums, strict=True):
        if (folder / file).is_file() or (folder / f"{file}.gz").is_file():
            continue
        tell(f"fetching {FOLDERS[name]}: {file}")
        content = _unpacked(_received(f"{address}{file}.gz"), digest, f"{address}{file}.gz")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place(folder / file, content)
        except OSError as error:
            raise UsageError(f"cannot write {folder / file}: {error.strerror or error}", "name another folder: --data-dir DIR") from error


def place(path: Path, content: bytes) -> None:
    """Writes a file whole: to a new file beside it, to the disk, and into its place.

    Raises:
        OSError: when it cannot be written; nothing is left of it then.
    """
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _received(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310  (addresses from the table above)
            data: bytes = answer.read()
    except (OSError, urllib.error.URLError) as error:
        cause = getattr(error, "reason", None) or error
        hint = "connect, or leave out --download and --data: a subset of MNIST comes with initcheck"
        raise InitcheckError(f"cannot fetch {address}: {cause}", hint, name="download-failed") from error
    return data


def _unpacked(data: bytes, digest: str, address: str) -> bytes:
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found == digest:
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InitcheckError(f"{address} is not packed by gzip: {error}", "try again later", name="download-failed") from error
    what = f"{len(data):,} bytes with MD5 {found}, not {digest}"
    raise InitcheckError(f"{address} gave something else than expected: {what}", "a proxy may answer in its place", name="download-failed")
