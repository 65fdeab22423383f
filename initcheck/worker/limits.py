"""How much memory and how many processes a target may have, and how much it has. Full figures on Linux only, from /proc.

Two lines of defence: RLIMIT_DATA makes an allocation fail inside the process, with the user's own line; watching from outside ends
what grows by other ways (shared memory, child processes). Where a GPU driver is present only the second holds, because drivers
reserve memory that counts. GPU memory itself is not limited. Outside Linux neither holds.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROCESSES = 200
"""So many processes a single target may have at the same time."""

_UNITS = ("B", "kB", "MB", "GB", "TB")
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def available_memory() -> int:
    """Bytes that could be had now, by the system and by the limits of the container; 0 when not known."""
    found = [size for size in (_from_meminfo(), *_from_cgroups()) if size > 0]
    if found:
        return min(found)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return max(0, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return 0


def limit_data(size: int) -> None:
    """Lets allocations of this process fail that would take it more than `size` bytes beyond what it holds now."""
    if not size or sys.platform != "linux" or gpu_driver():
        return
    import resource

    held = _status(os.getpid(), "VmData")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held + size
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def gpu_driver() -> bool:
    """Whether a driver of a GPU is present, whatever torch can do with it."""
    return any(Path(driver).exists() for driver in _DRIVERS)


def usage(process: int) -> tuple[int, int]:
    """Bytes of its own that a process and all its descendants hold, and how many processes these are."""
    total, seen, pending = 0, 0, [process]
    while pending and seen <= PROCESSES:
        one = pending.pop()
        seen += 1
        total += own_memory(one)
        pending += children(one)
    return total, seen + len(pending)


def own_memory(process: int) -> int:
    """Bytes that a process holds beyond its files, those that it still shares with the one it was forked from included."""
    return _status(process, "RssAnon") + _status(process, "RssShmem")


def children(process: int) -> list[int]:
    """The processes that a process has started and that still are."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    except OSError:
        return found  # it has ended meanwhile, or there is no /proc
    return found


def threads() -> int:
    """The threads of this process, those of libraries included; 0 when not known."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 0


def shown(size: float) -> str:
    """A number of bytes as one reads it: `4.0 GB`."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} B"


def _status(process: int, key: str) -> int:
    try:
        with Path(f"/proc/{process}/status").open(encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(key):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def _from_meminfo() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)


def _from_cgroups() -> list[int]:
    """What the control groups of this process leave: version 2 first, then version 1."""
    pairs = [("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes")]
    group = Path("/sys/fs/cgroup" + _own_group())
    while group.is_relative_to("/sys/fs/cgroup"):
        pairs.append((str(group / "memory.max"), str(group / "memory.current")))
        group = group.parent
    left = []
    for limit, held in pairs:
        bound = _number(limit)
        if 0 < bound < 1 << 60:
            left.append(max(1, bound - _number(held)))
    return left


def _own_group() -> str:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line[3:] for line in lines if line.startswith("0::")), "")


def _number(path: str) -> int:
    try:
        text = Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
