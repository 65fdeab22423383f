"""The audit hook: which deeds are refused, and where writing is free."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from initcheck.construct.guard.reading import observe
from initcheck.construct.guard.refusal import now, refuse
from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.records.settings import SCRATCH

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_NETWORK = "opens a network connection"
_ADDRESS = "looks up a network address"
_PROGRAM = "starts a program"

REFUSED = {
    "socket.connect": _NETWORK,
    "socket.bind": _NETWORK,
    "socket.sendto": _NETWORK,
    "socket.sendmsg": _NETWORK,
    "socket.getaddrinfo": _ADDRESS,
    "socket.gethostbyname": _ADDRESS,
    "socket.gethostbyaddr": _ADDRESS,
    "subprocess.Popen": _PROGRAM,
    "os.system": _PROGRAM,
    "os.exec": _PROGRAM,
    "os.posix_spawn": _PROGRAM,
    "os.spawn": _PROGRAM,
    "os.startfile": _PROGRAM,
    "pty.spawn": _PROGRAM,
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.killpg": "ends other processes",
}
"""Audit events that are refused while the guard is on, and what the user's code does there."""

CHANGES: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "os.remove": ("deletes a file", ((0, 1),)),
    "os.rmdir": ("deletes a folder", ((0, 1),)),
    "os.rename": ("renames a file", ((0, 2), (1, 3))),
    "os.mkdir": ("creates a folder", ((0, 2),)),
    "os.link": ("creates a link", ((0, 2), (1, 3))),
    "os.symlink": ("creates a link", ((1, 2),)),
    "os.truncate": ("changes a file", ((0, -1),)),
    "os.chmod": ("changes a file", ((0, 2),)),
    "os.chown": ("changes a file", ((0, 3),)),
    "os.chflags": ("changes a file", ((0, -1),)),
    "os.utime": ("changes a file", ((0, 3),)),
    "os.setxattr": ("changes a file", ((0, -1),)),
    "os.removexattr": ("changes a file", ((0, -1),)),
    "shutil.rmtree": ("deletes a folder", ((0, 1),)),
    "shutil.move": ("moves a file", ((0, -1), (1, -1))),
    "shutil.copyfile": ("copies a file", ((1, -1),)),
    "sqlite3.connect": ("opens a database", ((0, -1),)),
}
"""Audit events that are refused outside the scratch folder: what they do, and the places of (path, folder descriptor) in their arguments."""

_SYMBOLS = ("fork", "vfork", "clone", "system", "popen", "exec", "posix_spawn", "kill", "unlink", "rmdir", "remove", "rename", "truncate")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/shm/", "/dev/std", "/dev/fd/", "/dev/nvidia", "/dev/dri/", "/dev/kfd")  # noqa: S108  (memory)
_installed: list[bool] = []


def install() -> None:
    """Adds the hook to this process, once; a hook cannot be taken away, it only sleeps."""
    if not _installed:
        sys.addaudithook(_audit)
        _installed.append(True)


def own_process() -> bool:
    """Whether nothing but the target runs in this process, which no key of the terminal reaches."""
    return SCRATCH in os.environ


def writable_roots() -> tuple[str, ...]:
    """The folders that may be written to: the target's scratch folder, else the temporary folder of the system."""
    folder = os.environ[SCRATCH] if own_process() else tempfile.gettempdir()
    return (os.path.realpath(folder),) if folder else ()


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if now.on:
        observe(event, args)
    if not now.on or now.trust or (now.thread and now.thread != threading.get_ident()):
        return
    if event == "open":
        if isinstance(args[0], int) and kind_of(sys._getframe(1).f_code) is Kind.USER:  # noqa: SLF001  (who opens it)
            refuse(f"opens the file descriptor {args[0]}")  # closing it again would close one of the process itself
        if len(args) > 2 and isinstance(args[2], int) and args[2] & WRITING and not _free(args[0]):
            refuse(f"writes {_shown(args[0])}")
    elif event in REFUSED:
        refuse(REFUSED[event])
    elif event in CHANGES:
        words, places = CHANGES[event]
        if not all(_free(_at(args, path), _at(args, folder)) for path, folder in places):
            refuse(words)
    elif event == "os.kill" and args and args[0] != os.getpid():
        refuse("ends another process")
    elif event == "ctypes.dlsym" and isinstance(_at(args, 1), str) and args[1].startswith(_SYMBOLS):
        refuse(f"calls {args[1]} of the system")


def _at(args: tuple[Any, ...], place: int) -> Any:
    return args[place] if 0 <= place < len(args) else None


def _free(path: object, folder: object = None) -> bool:
    """Whether a path may be written to: open descriptors, devices without memory, the scratch folder."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return True
    text = os.fsdecode(path)
    if text.startswith(_DEVICES) or text == ":memory:":
        return True
    if isinstance(folder, int) and folder >= 0:
        text = str(Path(f"/proc/self/fd/{folder}").resolve() / text)
    full = os.path.realpath(text)
    return any(full.startswith(root + os.sep) for root in now.roots) and (own_process() or not _of_the_project(full))


def _of_the_project(path: str) -> bool:
    """A project that lives in a temporary folder is a project all the same."""
    here = os.path.realpath(os.curdir)
    return not any(root == here or root.startswith(here + os.sep) for root in now.roots) and (path + os.sep).startswith(here + os.sep)


def _shown(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
