"""A seat belt for user code that runs while a model is built: no network, no programs, no writes, no stdin. It is not a sandbox."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from initcheck.construct.loader import modules_below, package_of
from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.errors import TargetError

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
REFUSED = {
    "socket.connect": "opens a network connection",
    "socket.getaddrinfo": "looks up a network address",
    "subprocess.Popen": "starts a program",
    "os.system": "starts a program",
    "os.exec": "starts a program",
    "os.posix_spawn": "starts a program",
    "os.spawn": "starts a program",
    "pty.spawn": "starts a program",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.remove": "deletes a file",
    "os.rmdir": "deletes a folder",
    "os.rename": "renames a file",
    "os.mkdir": "creates a folder",
    "os.link": "creates a link",
    "os.symlink": "creates a link",
    "os.truncate": "changes a file",
    "os.chmod": "changes a file",
    "shutil.rmtree": "deletes a folder",
    "shutil.move": "moves a file",
    "shutil.copyfile": "copies a file",
}
"""Audit events that are refused while the guard is on, and what the user's code does there."""

_DOWNLOADERS = ("torch.hub", "huggingface_hub")

_state: dict[str, Any] = {"on": False, "thread": 0, "path": "", "installed": False}
_neighbours: list[str] = []


class Refused(TargetError, PermissionError):
    """User code did something that building a model does not need.

    Also a `PermissionError`: libraries that only try (to write a cache, to ask a program) go on without.
    """

    name = "refused"


@contextlib.contextmanager
def guarded(path: str, note: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Runs user code from `path` with refusals in force, empty `sys.argv`, no stdin, prints on stderr, and its folder importable.

    A seat belt against accidents, not a sandbox: C++ code, other threads and `ctypes` pass it by. `torch.compile` in
    the file hands back what it was given; the default dtype and device of torch are as before afterwards. `note` is told what was done differently than asked.

    Raises:
        Refused: from inside the user's code, when it opens a connection, starts a program, or writes outside a temporary folder.
    """
    if not _state["installed"]:
        sys.addaudithook(_audit)
        _state["installed"] = True
    folder = str(Path(path).resolve().parent) if path else ""
    with contextlib.ExitStack() as stack:
        stack.enter_context(changed(sys, "argv", [path or "initcheck"]))
        stack.enter_context(changed(sys, "stdin", _NoInput()))
        stack.enter_context(changed(sys, "dont_write_bytecode", value=True))
        stack.enter_context(changed(torch, "save", _refuse_save))
        stack.enter_context(changed(torch, "compile", _uncompiled(torch.compile, note)))
        stack.enter_context(_defaults())
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(_search_path(folder))
        stack.enter_context(_fresh_neighbours(folder))
        stack.enter_context(_environment())
        before = dict(_state)
        # asked before the guard is on: tempfile holds a lock while it looks for its folder, and looking opens files
        roots = {tempfile.gettempdir(), str(Path(tempfile.gettempdir()).resolve())}
        _state.update(roots=roots, on=True, thread=threading.get_ident(), path=path)
        try:
            yield
        finally:
            _state.update(before)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _state["on"] or _state["thread"] != threading.get_ident():
        return
    if event == "open" and isinstance(args[0], int) and kind_of(sys._getframe(1).f_code) is Kind.USER:  # noqa: SLF001  (who opens it)
        _refuse(f"opens the file descriptor {args[0]}")  # closing it again would close one of the process itself
    if event in REFUSED and not _temporary(args[0] if args else None):
        _refuse(REFUSED[event])
    if event == "open" and len(args) > 2 and isinstance(args[2], int) and args[2] & WRITING and not _harmless(args[0]):
        _refuse(f"writes {args[0]}")


def _refuse(what: str) -> None:
    line = user_line()
    where = f"{_state['path']}:{line}" if line else _state["path"] or "the model's code"
    if _downloading():
        message = f"{where} downloads weights; initcheck works offline and looks at weights before training"
        raise Refused(message, "build it without them: weights=None or pretrained=False", name="offline")
    raise Refused(
        f"{where} {what}; building a model must not", "put the model alone into a function: def initcheck_model(): return Net(...)"
    )


def user_line() -> int:
    """The innermost line of the user's file that is running, 0 if none is."""
    frame: Any = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        if _state["path"] and frame.f_code.co_filename == _state["path"]:
            return int(frame.f_lineno)
        frame = frame.f_back
    return 0


def _downloading() -> bool:
    """Whether one of the usual downloaders of weights is on the stack."""
    frame: Any = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_DOWNLOADERS):
            return True
        frame = frame.f_back
    return False


class _NoInput(io.TextIOBase):
    def read(self, _size: int | None = -1, /) -> str:
        _refuse("waits for input on stdin")
        return ""

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override]
        return self.read()


def _refuse_save(*_args: Any, **_kwargs: Any) -> None:
    _refuse("saves with torch.save")


def _harmless(path: object) -> bool:
    """Temporary folders, devices, caches of bytecode, and file descriptors."""
    if isinstance(path, int) or path is None:
        return True
    text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
    return text.startswith("/dev/") or "__pycache__" in text or _temporary(text)


def _temporary(path: object) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    text = os.fsdecode(path)
    inside = any(text.startswith(root + os.sep) for root in _state["roots"])
    # A project that lives in a temporary folder is a project all the same.
    here = Path.cwd()
    project = not any(Path(root).is_relative_to(here) for root in _state["roots"])
    return inside and not (project and Path(text).resolve().is_relative_to(here))


@contextlib.contextmanager
def changed(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Gives an attribute another value for a while."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


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
def _defaults() -> Iterator[None]:
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    wanted = {"MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
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


def _uncompiled(original: Callable[..., Any], note: Callable[[str], None]) -> Callable[..., Any]:
    def compiled(model: Any = None, **options: Any) -> Any:
        if not user_line():  # a library that compiles its own functions keeps its say
            return original(model, **options)
        note("torch.compile was left out")
        return (lambda found: found) if model is None else model

    return compiled
