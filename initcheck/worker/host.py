"""The parent's end of a child process: starts it, sends requests, and puts all that it says into one queue."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from initcheck.worker.job import Job

DRAINED = "\x00drained"
"""The line on standard error after which nothing more of a target follows."""

# `-P` and this order keep a `json.py` of the user from standing in for the library's, before the loader arranges the path
HERE = str(Path(__file__).resolve().parents[2])
BOOT = "import sys; sys.path.append(sys.argv.pop()); from initcheck.worker.server import main; main()"

_LINGER = 1.0

Events = queue.Queue[tuple["Host", dict[str, Any]]]


class Host:
    """One child process and the jobs that it has at the moment. `ready` holds the version of torch once it is there.

    `ahead` names the packages that it imports together with torch.
    """

    def __init__(self, events: Events, *, fork: bool, ahead: Sequence[str] = ()) -> None:
        self.ready = ""
        self.forks = False
        self.jobs: dict[int, Job] = {}
        self.started = time.monotonic()
        self._ended = 0.0
        self.process = subprocess.Popen(  # noqa: S603  (this interpreter, no shell, nothing from the user in the command)
            [sys.executable, "-P", "-c", BOOT, ",".join(ahead), "fork" if fork else "serial", HERE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            env=_environment(),
            start_new_session=os.name == "posix",
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._threads = [
            threading.Thread(target=_read_messages, args=(self, self.process.stdout, events), daemon=True),
            threading.Thread(target=_read_lines, args=(self, self.process.stderr, events), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def over(self) -> bool:
        """Whether nothing can come any more; a grandchild may hold the pipes open, which is waited for a little only."""
        if self.process.poll() is None:
            return False
        self._ended = self._ended or time.monotonic()
        return not any(thread.is_alive() for thread in self._threads) or time.monotonic() - self._ended > _LINGER

    def send(self, **message: object) -> None:
        """Sends one message; a process that is gone shows as ended, so it is no error here."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except OSError:
            return

    def stop(self) -> None:
        """Ends the process and all that belongs to it."""
        if self.forks and self.process.poll() is None:
            # the server ends its children when its input ends
            _close(self.process.stdin)
            try:
                self.process.wait(timeout=2.0)
            except subprocess.TimeoutExpired:
                self.forks = False
        _kill(self.process)
        self.process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            _close(pipe)


def _environment() -> dict[str, str]:
    """The user's, with an order of sets and dictionaries that is the same each time."""
    return {"PYTHONHASHSEED": "0", **os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"}


def _read_messages(host: Host, pipe: IO[str], events: Events) -> None:
    for line in pipe:
        if line.endswith("\n"):  # a process that dies may leave half a message
            events.put((host, json.loads(line)))


def _read_lines(host: Host, pipe: IO[str], events: Events) -> None:
    for line in pipe:
        text = line.rstrip("\n")
        if text.endswith(DRAINED):
            if text != DRAINED:
                events.put((host, {"output": text.removesuffix(DRAINED)}))
            events.put((host, {"drained": True}))
        else:
            events.put((host, {"output": text}))


def _close(pipe: IO[str] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except (OSError, ValueError):
        return  # the child is gone, there is nobody left to tell


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        process.kill()
