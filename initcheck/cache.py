"""What was found out about a target, kept in `.initcheck_cache` for as long as nothing that it depends on has changed.

An answer counts when the target, the settings, the versions, the installed packages and all files and folders that the target read
are the same. Only reports without a failure are kept. A cache that cannot be read or written is no error: everything is checked anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from initcheck import __version__
from initcheck.files import place
from initcheck.records.report import ModelReport
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.settings import Settings
from initcheck.records.target import Target

NAME = ".initcheck_cache"
FORMAT = 1
KEPT = 2000
"""So many answers are kept; the oldest go first."""

_MARKS = ("pyproject.toml", "initcheck.toml", ".git")
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder holds answers of initcheck that can be found out again.\n"
_WITHOUT_EFFECT = ("jobs", "timeout", "max_memory", "fail_on")
_UNSTABLE = ("program", "weights")
_VARIABLES = ("PYTHON", "TORCH", "HF_", "HUGGINGFACE", "CUDA", "OMP_", "MKL_", "XDG_CACHE_HOME")
_QUOTED = re.compile(r"""[\"']([A-Za-z_][A-Za-z0-9_]*)\\?[\"']""")
_HASHED = 8_000_000
"""Larger files count as unchanged while their size and time are."""
_FAILED = "last-failed.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """An answer: the reports, the lines that the user's code printed, and the version of torch."""

    reports: tuple[ModelReport, ...]
    lines: tuple[str, ...]
    torch: str


class Cache:
    """The cache of one project under one set of settings. `threads` are those of torch, on which the last digits depend."""

    def __init__(self, settings: Settings, threads: int, folder: Path | None = None) -> None:
        self._folder = (folder or project()) / NAME
        self._settings = settings
        self._threads = threads

    def find(self, target: Target) -> Kept | None:
        """The answer of an unchanged target."""
        try:
            entry = json.loads(self._place(target).read_text(encoding="utf-8"))
            if any(digest(kind, path) != known for kind, path, known in entry["read"]):
                return None
            reports = tuple(from_plain(ModelReport, report) for report in entry["reports"])
            return Kept(reports, tuple(map(str, entry["lines"])), str(entry["torch"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def keep(self, target: Target, kept: Kept, read: Iterable[tuple[str, str]], began: float) -> None:
        """Keeps an answer, unless something that it rests on was changed since the target `began`."""
        if target.kind in _UNSTABLE or target.path == "hf" or not kept.reports or any(report.failures for report in kept.reports):
            return
        own = [("file", os.path.abspath(target.path))] if target.recipe is not None else []  # noqa: PTH100
        seen = sorted({*own, *read})
        rests_on = [[kind, path, digest(kind, path)] for kind, path in (*seen, *_variables(seen))]
        if any(kind == "file" and _changed(path) >= began - 1 for kind, path, _ in rests_on):
            return
        entry = {"reports": to_plain(kept.reports), "lines": kept.lines, "torch": kept.torch, "read": rests_on}
        self._write(self._place(target).name, json.dumps(entry))

    def failed(self) -> frozenset[str]:
        """The targets that failed when they were last checked."""
        try:
            return frozenset(map(str, json.loads((self._folder / _FAILED).read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            return frozenset()

    def remember(self, bad: frozenset[str], good: frozenset[str]) -> None:
        """Notes which targets failed now; what was not checked keeps its standing."""
        before = self.failed()
        after = (before - good) | bad
        if after != before:
            self._write(_FAILED, json.dumps(sorted(after)))

    @cached_property
    def _common(self) -> str:
        settings = {key: value for key, value in to_plain(self._settings).items() if key not in _WITHOUT_EFFECT}
        variables = sorted((name, value) for name, value in os.environ.items() if name.startswith(_VARIABLES))
        parts = (FORMAT, __version__, _own(), _version("torch"), sys.version, _packages(), settings, variables, self._threads, _here())
        return json.dumps(parts)

    def _place(self, target: Target) -> Path:
        key = f"{self._common}\n{json.dumps(to_plain(target))}"
        return self._folder / f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.json"

    def _write(self, name: str, text: str) -> None:
        """Writes a file whole or not at all."""
        try:
            if not self._folder.is_dir():
                self._folder.mkdir()
                (self._folder / ".gitignore").write_text("*\n", encoding="utf-8")
                (self._folder / "CACHEDIR.TAG").write_text(_TAG, encoding="utf-8")
            place(self._folder / name, text.encode("utf-8", "surrogateescape"), lasting=False)
            self._thin()
        except OSError:
            return

    def _thin(self) -> None:
        held = list(self._folder.glob("*.json"))
        if len(held) > KEPT:
            for path in sorted(held, key=lambda path: _changed(str(path)))[: len(held) - KEPT // 2]:
                path.unlink(missing_ok=True)


def project() -> Path:
    """The folder of the project that one stands in: the nearest with a configuration or a repository, else the present one."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if any((folder / mark).exists() for mark in _MARKS)), here)


def digest(kind: str, path: str) -> str:
    """What a file, a folder or a variable of the environment holds, in short; the same text for all that is not there."""
    if kind == "variable":
        value = os.environ.get(path)
        return "absent" if value is None else hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
    try:
        if kind == "folder":
            names = sorted(name for name in os.listdir(path) if not name.startswith((".", "__pycache__")))  # noqa: PTH208  (names alone)
            return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
        state = os.stat(path)  # noqa: PTH116
        if state.st_size > _HASHED:
            return f"{state.st_size} {state.st_mtime_ns}"
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else "no file"
    except (OSError, ValueError):
        return "absent"


def _variables(read: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The variables of the environment that the sources among the files read may ask for: names in quotes, where they speak of it at all."""
    names: set[str] = set()
    for kind, path in read:
        if kind != "file" or not path.endswith((".py", ".ipynb")):
            continue
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if "environ" in text or "getenv" in text:
            names |= set(_QUOTED.findall(text))
    return [("variable", name) for name in sorted(names)]


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116
    except (OSError, ValueError):
        return 0.0


def _here() -> str:
    return str(Path.cwd())


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@cache
def _own() -> Sequence[Any]:
    """The state of this package's own sources, for those who change them."""
    states = [path.stat() for path in Path(__file__).parent.rglob("*.py")]
    return len(states), max(state.st_mtime_ns for state in states), sum(state.st_size for state in states)


def _packages() -> list[tuple[str, int]]:
    """The times at which packages were last installed, and weights last downloaded."""
    home = Path.home() / ".cache"
    stores = [str(home / "torch" / "hub" / "checkpoints"), str(home / "huggingface" / "hub")]
    folders = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [(path, os.stat(path).st_mtime_ns if Path(path).is_dir() else 0) for path in (*folders, *stores)]  # noqa: PTH116
