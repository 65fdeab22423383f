"""The kernel's own limits for a process that must not write, connect or start programs: Landlock, Linux 5.13 and later, no rights needed.

It holds for compiled code as well, which no audit hook sees. Where the kernel has none of it, the guard stands alone.
Not covered: UDP, reading, and what other programs do on this one's behalf.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_NO_NEW_PRIVILEGES = 38
_BENEATH = 1

_EXECUTE, _WRITE, _REFER, _TRUNCATE = 1 << 0, 1 << 1, 1 << 13, 1 << 14
_MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
_TCP = 3
_SIGNALS_AND_SOCKETS = 3


def confine(scratch: str, file: str = "") -> bool:
    """Confines this process and its children for good: writing only below `scratch` and into `file`, no program, no TCP.

    False where it cannot be.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    changes = _WRITE | _MAKE_AND_REMOVE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = struct.pack("QQQ", _EXECUTE | changes, _TCP if version >= 4 else 0, _SIGNALS_AND_SOCKETS if version >= 6 else 0)
    length = 8 if version < 4 else 16 if version < 6 else 24
    handle = libc.syscall(_CREATE, rules, ctypes.c_size_t(length), 0)
    if handle < 0:
        return False
    try:
        if scratch:
            _allow(libc, handle, scratch, changes)
        if file:
            _allow(libc, handle, file, _WRITE | (_TRUNCATE if version >= 3 else 0))
        _allow(libc, handle, "/dev/shm", changes)  # noqa: S108  (memory that torch shares between processes)
        _allow(libc, handle, "/dev", _WRITE | (_TRUNCATE if version >= 3 else 0))
        _allow(libc, handle, "/proc/self", _WRITE | (_TRUNCATE if version >= 3 else 0))
        return bool(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and libc.syscall(_RESTRICT, handle, 0) == 0)
    finally:
        os.close(handle)


def _allow(libc: ctypes.CDLL, handle: int, folder: str, rights: int) -> None:
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return  # what is not there needs no rule
        stack.callback(os.close, descriptor)
        libc.syscall(_ADD, handle, _BENEATH, struct.pack("=Qi", rights, descriptor), 0)
