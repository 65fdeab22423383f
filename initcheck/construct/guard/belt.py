"""The belt as a whole: puts on the refusals and gives the user's code the surroundings of a fresh program."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from initcheck.construct.guard import audit
from initcheck.construct.guard.entrances import changed, replaced
from initcheck.construct.guard.refusal import InForce, now, refuse
from initcheck.construct.loader import modules_below, package_of

_neighbours: list[str] = []


@contextlib.contextmanager
def guarded(
    path: str, note: Callable[[str], None] = lambda _: None, *, trust: bool | None = None, trust_pickle: bool | None = None
) -> Iterator[None]:
    """Runs user code from `path` with refusals in force, empty `sys.argv`, no stdin, prints on stderr, and its folder importable.

    A seat belt against accidents, not a sandbox. In a process of its own all threads are watched, elsewhere only this one. The working
    folder and torch's default dtype and device are as before afterwards. `note` is told what was done differently than asked. `trust`
    and `trust_pickle` lift the refusals; left out, they are those of the guard around this one.

    Raises:
        Refused: from inside the user's code, when it opens a connection, starts a program, or writes outside a temporary folder.
    """
    audit.install()
    folder = str(Path(path).resolve().parent) if path else ""
    before = dataclasses.replace(now)
    trusted = before.trust if trust is None else trust
    if trusted:
        note("--trust: files, connections and programs were allowed")
    # asked before the guard is on: tempfile holds a lock while it looks for its folder, and looking opens files
    _set(InForce(before.on, path, 0, audit.writable_roots(), trusted, before.trust_pickle if trust_pickle is None else trust_pickle))
    with contextlib.ExitStack() as stack:
        stack.callback(_set, before)
        stack.enter_context(changed(sys, "argv", [path or "initcheck"]))
        stack.enter_context(changed(sys, "stdin", _NoInput()))
        stack.enter_context(changed(sys, "dont_write_bytecode", value=True))
        stack.enter_context(replaced(note))
        stack.enter_context(torch_defaults())
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(_here())
        stack.enter_context(_search_path(folder))
        stack.enter_context(_fresh_neighbours(folder))
        stack.enter_context(_environment())
        stack.enter_context(_modules())
        now.thread, now.on = 0 if audit.own_process() else threading.get_ident(), True
        try:
            yield
        finally:
            now.on = before.on


def _set(wanted: InForce) -> None:
    for field in dataclasses.fields(InForce):
        setattr(now, field.name, getattr(wanted, field.name))


class _NoInput(io.TextIOBase):
    def read(self, _size: int | None = -1, /) -> str:
        if not now.trust:
            refuse("waits for input on stdin")
        return ""

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override]
        return self.read()


@contextlib.contextmanager
def _here() -> Iterator[None]:
    try:
        before = Path.cwd()
    except FileNotFoundError:  # the folder was deleted under the running shell
        yield
        return
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _search_path(folder: str) -> Iterator[None]:
    before = list(sys.path)
    for entry in (str(Path.cwd()), folder):
        if entry and entry not in sys.path:
            sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path[:] = before


@contextlib.contextmanager
def _modules() -> Iterator[None]:
    """Puts back what code took away that empties `sys.modules`: nothing could be imported any more."""
    before = dict(sys.modules)
    try:
        yield
    finally:
        if sys.modules.get("torch") is not torch:
            sys.modules.update(before)


@contextlib.contextmanager
def _fresh_neighbours(folder: str) -> Iterator[None]:
    """Forgets the modules that an earlier target imported from beside its file: another folder may have its own `utils`.

    They are kept until then, because a forward pass may still import them.
    """
    while _neighbours:
        sys.modules.pop(_neighbours.pop(), None)
    before = frozenset(sys.modules)
    try:
        yield
    finally:
        if folder:
            _neighbours.extend(modules_below(package_of(Path(folder) / "_")[1]) - before)


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """The default dtype and device of torch are as before afterwards."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    wanted = {"MPLBACKEND": "agg", "TOKENIZERS_PARALLELISM": "false", **({} if now.trust else {"HF_HUB_OFFLINE": "1"})}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
