"""Whole sets of images fetched once by torchvision, each file put in its place in one step, or none of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from sys import stderr

from initcheck.errors import InitcheckError, TargetError, UsageError
from initcheck.files import place
from initcheck.verify.data.sets import FILES, FOLDERS


def fetch(name: str, folder: Path, tell: Callable[[str], None]) -> None:
    """Puts the four files of a set into `folder` (torchvision's `raw`), those that are there already left alone.

    Raises:
        InitcheckError: `download-failed`, when no server can be reached or what comes is not the set; nothing is left then.
        TargetError: `missing-import`, without torchvision.
        UsageError: when the folder cannot be written to.
    """
    missing = [file for file in FILES if not (folder / file).is_file() and not (folder / f"{file}.gz").is_file()]
    if not missing:
        return
    tell(f"fetching {FOLDERS[name]}")
    with tempfile.TemporaryDirectory(prefix="initcheck-") as scratch:
        _download(FOLDERS[name], scratch)
        for file in missing:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                place(folder / file, (Path(scratch) / FOLDERS[name] / "raw" / file).read_bytes())
            except OSError as error:
                raise UsageError(
                    f"cannot write {folder / file}: {error.strerror or error}", "name another folder: --data-dir DIR"
                ) from error


def _download(kind: str, folder: str) -> None:
    try:
        from torchvision import datasets
    except ImportError as error:
        hint = "pip install torchvision; or leave out --download and --data: a subset of MNIST comes with initcheck"
        raise TargetError(f"{kind} is fetched by torchvision, which cannot be imported: {error}", hint, name="missing-import") from error
    try:
        with redirect_stdout(stderr):
            getattr(datasets, kind)(folder, download=True)
    except (OSError, RuntimeError, EOFError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        cause = next((line for line in lines[1:] if not line.startswith("Tried")), lines[0])  # the rest is torchvision's frame
        hint = "connect, or leave out --download and --data: a subset of MNIST comes with initcheck"
        raise InitcheckError(f"cannot fetch {kind}: {cause}", hint, name="download-failed") from error
