"""The server that forks one child for each target; it has torch in memory and stays single-threaded, which makes the fork safe.

A child leads a session of its own. When it ends, whatever it has started is ended too: its process group, and what left that group,
because orphans come back to the server, which then ends them as well.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import secrets
import selectors
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from initcheck.worker.answer import answer, end
from initcheck.worker.job import LINES, WIDTH
from initcheck.worker.limits import children
from initcheck.worker.pipes import Lines, Pipe

_PDEATHSIG = 1
_SUBREAPER = 36


@dataclass(slots=True)
class Child:
    """One running target: `messages` come from initcheck in the child, `output` from anything that prints there."""

    number: int
    process: int
    mark: str
    messages: Lines
    output: Lines
    scratch: str = ""
    printed: int = 0


class Server:
    """Waits for requests, for what the children say, and for their ends."""

    def __init__(self, requests: int, answers: Pipe, checker: Callable[..., Any]) -> None:
        self._requests = Lines(requests)
        self._answers = answers
        self._checker = checker
        self._children: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Runs until the requests end."""
        control(_SUBREAPER, 1)
        reading, writing = os.pipe()
        wake = Lines(reading)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(reading, selectors.EVENT_READ, wake.read)
        self._selector.register(self._requests.descriptor, selectors.EVENT_READ, self._hear)
        gc.collect()
        gc.freeze()  # what is never touched again stays shared with the children
        while self._requests.open:
            for key, _ in self._selector.select():
                key.data()
            self._bury()
        for child in self._children.values():
            _end_group(child.process)
            if child.scratch:
                shutil.rmtree(child.scratch, ignore_errors=True)  # the parent may be gone
        self._end_strays()

    def _hear(self) -> None:
        for line in self._requests.read():
            request = json.loads(line) if line.strip() else {}
            if "check" in request:
                self._start(request)
            elif request.get("stop") in self._children:
                _end_group(self._children[request["stop"]].process)

    def _start(self, request: dict[str, Any]) -> None:
        messages, output = os.pipe(), os.pipe()
        mark = secrets.token_hex(8)
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            self._become(request, messages, output, mark)
        os.close(messages[1])
        os.close(output[1])
        child = Child(request["check"], process, mark, Lines(messages[0]), Lines(output[0], WIDTH * 4), request["scratch"])
        self._children[child.number] = child
        self._selector.register(child.messages.descriptor, selectors.EVENT_READ, lambda: self._relay(child, child.messages))
        self._selector.register(child.output.descriptor, selectors.EVENT_READ, lambda: self._relay(child, child.output))
        self._answers.write({"id": child.number, "process": process})

    def _relay(self, child: Child, lines: Lines, *, to_the_end: bool = False) -> None:
        """Passes on what a child has said."""
        found = lines.read(to_the_end=to_the_end)
        if not lines.open and lines.descriptor in self._selector.get_map():
            self._selector.unregister(lines.descriptor)
        if lines is child.messages:
            for line in found:
                text = line.decode("utf-8", "replace")
                if text.startswith(child.mark):
                    self._answers.write(json.loads(text[len(child.mark) :]))
            return
        for line in found[: max(0, LINES - child.printed)]:
            self._answers.write({"id": child.number, "output": line.decode("utf-8", "backslashreplace").rstrip("\r")})
        child.printed += len(found)

    def _bury(self) -> None:
        """Settles the children that have ended: their orphans first, then what is left in their pipes."""
        for child in list(self._children.values()):
            if os.waitid(os.P_PID, child.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            _end_group(child.process)  # its number is not given to another process before it is reaped below
            for lines in (child.messages, child.output):
                self._relay(child, lines, to_the_end=True)
                if lines.open:
                    self._selector.unregister(lines.descriptor)
                lines.close()
            _, status = os.waitpid(child.process, 0)
            del self._children[child.number]
            self._end_strays()
            if child.printed > LINES:
                self._answers.write({"id": child.number, "more": child.printed - LINES})
            self._answers.write({"id": child.number, "ended": os.waitstatus_to_exitcode(status)})

    def _end_strays(self) -> None:
        """Ends the processes that lost their parents and came to this one."""
        own = {child.process for child in self._children.values()}
        for process in set(children(os.getpid())) - own:
            _end_group(process)
            os.waitpid(process, 0)

    def _become(self, request: dict[str, Any], messages: tuple[int, int], output: tuple[int, int], mark: str) -> NoReturn:
        """The child's life after the fork."""
        code = 1
        try:
            os.setsid()
            control(_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (1, 2):
                os.dup2(output[1], descriptor)
            private = _moved_away(messages[1])
            os.closerange(3, private)
            os.closerange(private + 1, _most_descriptors())
            answer(request, self._checker, Pipe(private, mark), own_process=True)
            code = 0
        except BaseException:  # noqa: BLE001  (nothing may get back into the server's loop)
            os.write(2, traceback.format_exc().encode())
        end(code)


def control(option: int, value: int) -> None:
    """Asks the kernel for a property of this process."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _end_group(process: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _moved_away(descriptor: int) -> int:
    """The same pipe under a number that code does not hit by counting."""
    import fcntl

    most = _most_descriptors()
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, most // 2 + secrets.randbelow(max(1, most // 4)))


def _most_descriptors() -> int:
    import resource

    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)
