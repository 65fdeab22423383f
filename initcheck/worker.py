"""Runs the engine for one target after the other in a child process: plain records in, plain records out.

The parent never imports torch. A crash, an `os._exit` or a hang of the user's code costs the target at hand and nothing else.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from initcheck.errors import ConfigError, InitcheckError, NothingToCheck, UsageError
from initcheck.records.finding import Failure
from initcheck.records.report import ModelReport
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.settings import Settings
from initcheck.records.target import Target

START_LIMIT = 300.0
"""Seconds for the interpreter and torch to start; the timeout of a target begins after that."""

INTERNAL = "internal-error"
"""The name of a failure that is initcheck's own fault."""

# `-P` and this order keep a `json.py` of the user from standing in for the library's, before the loader arranges the path
_HERE = str(Path(__file__).resolve().parents[1])
_BOOT = "import sys; sys.path.append(sys.argv.pop()); from initcheck.worker import main; main()"
_POLL = 0.05
_RAISED = {kind.__name__: kind for kind in (UsageError, ConfigError, NothingToCheck)}


class Worker:
    """A child process that checks targets, started when needed and again after a crash; a context manager that ends it.

    `user_output` is given each line that the user's code printed, `progress` the engine's words about its stage.
    """

    def __init__(self, settings: Settings, *, user_output: Callable[[str], None], progress: Callable[[str], None]) -> None:
        self.torch = ""
        self._settings = settings
        self._user_output = user_output
        self._progress = progress
        self._process: subprocess.Popen[str] | None = None
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Worker:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def check(self, target: Target) -> tuple[ModelReport, ...]:
        """Checks one target, which may stand for several models; whatever goes wrong in the child becomes a Failure of a report.

        Raises:
            UsageError: for a setting or an input that makes no sense.
            NothingToCheck: when the target turned out to be no model.
        """
        process = self._process if self._process is not None and self._process.poll() is None else self._start()
        request = json.dumps({"target": to_plain(target), "settings": to_plain(self._settings)})
        limit = self._settings.timeout
        try:
            if not self.torch:
                ready = self._receive(process, START_LIMIT)
                if ready is None or "ready" not in ready:
                    return (self._lost(process, target, ready, START_LIMIT),)
                self.torch = str(ready["ready"])
            assert process.stdin is not None
            process.stdin.write(request + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return (self._lost(process, target, None, limit),)
        deadline = time.monotonic() + limit
        while True:
            message = self._receive(process, deadline - time.monotonic())
            if message is None or "late" in message or "failure" in message:
                return (self._lost(process, target, message, limit),)
            if "progress" in message:
                self._progress(message["progress"])
            elif "error" in message:
                return (_failed(target, message["error"]),)
            else:
                return tuple(from_plain(ModelReport, report) for report in message["reports"])

    def _start(self) -> subprocess.Popen[str]:
        self._stop()
        self.torch = ""
        self._messages = queue.Queue()
        process = subprocess.Popen(  # noqa: S603  (this interpreter, no shell, nothing from the user in the command)
            [sys.executable, "-P", "-c", _BOOT, _HERE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"},
            start_new_session=os.name == "posix",
        )
        readers: tuple[tuple[Callable[..., None], IO[str] | None, Any], ...] = (
            (_read_messages, process.stdout, self._messages),
            (_read_lines, process.stderr, self._user_output),
        )
        self._threads = [threading.Thread(target=reader, args=(pipe, sink), daemon=True) for reader, pipe, sink in readers]
        for thread in self._threads:
            thread.start()
        self._process = process
        return process

    def _receive(self, process: subprocess.Popen[str], seconds: float) -> dict[str, Any] | None:
        """The next message; `{"late": True}` after the time, None when the process has ended without one."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._messages.get(timeout=min(_POLL, max(deadline - time.monotonic(), 0.001)))
            except queue.Empty:
                # a grandchild may hold the pipe open, so its end alone does not tell
                if process.poll() is not None and not self._threads[0].is_alive() and self._messages.empty():
                    return None
                if time.monotonic() >= deadline:
                    return {"late": True}

    def _lost(self, process: subprocess.Popen[str], target: Target, message: dict[str, Any] | None, limit: float) -> ModelReport:
        """The report of a target whose process hangs, has ended or could not start."""
        if message is not None and "failure" in message:
            failure = from_plain(Failure, message["failure"])
        elif message is not None:
            hint = "raise it with --timeout SECONDS, or check a smaller model"
            failure = Failure("worker", target.spec, f"{target.spec} took longer than {limit:g} s and was stopped", hint, "timeout")
        else:
            failure = Failure("worker", target.spec, f"{target.spec}: {_ending(process)}", "its own output stands above", "crashed")
        self._stop()
        return ModelReport(target, failures=(failure,))

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                _close(pipe)


def run(targets: Iterable[Target], worker: Worker) -> Iterator[ModelReport]:
    """Checks all targets in turn; a target that is no model after all is told as a failure of its own."""
    for target in targets:
        try:
            yield from worker.check(target)
        except NothingToCheck as error:
            yield ModelReport(target, failures=(Failure("load", target.spec, error.message, error.hint, error.name),))


def failure_of(error: InitcheckError, subject: str, stage: str = "load") -> Failure:
    """An error as a record."""
    return Failure(stage, subject, error.message, error.hint, error.name)


def _read_messages(pipe: IO[str], messages: queue.Queue[dict[str, Any] | None]) -> None:
    for line in pipe:
        if line.endswith("\n"):  # a process that dies may leave half a message
            messages.put(json.loads(line))


def _read_lines(pipe: IO[str], sink: Callable[[str], None]) -> None:
    for line in pipe:
        sink(line.rstrip("\n"))


def _close(pipe: IO[str]) -> None:
    try:
        pipe.close()
    except (BrokenPipeError, ValueError):
        return  # the child is gone, there is nobody left to tell


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        process.kill()


def _ending(process: subprocess.Popen[str]) -> str:
    code = process.wait()
    if code >= 0:
        return f"the code ended the whole process with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the process that ran it died of {name}"


def _failed(target: Target, error: dict[str, str]) -> ModelReport:
    kind = _RAISED.get(error["kind"])
    if kind is not None:
        raise kind(error["message"], error["hint"], name=error["name"])
    return ModelReport(target, failures=(Failure(error["stage"], target.spec, error["message"], error["hint"], error["name"]),))


def serve() -> None:
    """The child's side: reads one request per line, answers with one message per line, ends with its input."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # the user's code gets an empty standard input, and all that it prints goes to standard error
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)

    def say(**message: object) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        import torch

        from initcheck.engine import check_target
    except Exception as error:  # noqa: BLE001  (a broken installation of any kind must be told, not raised in the dark)
        say(failure=to_plain(_unimportable(error)))
        return
    say(ready=str(torch.__version__))
    for line in requests:
        request = json.loads(line)
        target, settings = from_plain(Target, request["target"]), from_plain(Settings, request["settings"])
        answer = _answer(check_target, target, settings, lambda text: say(progress=text))
        sys.stdout.flush()
        sys.stderr.flush()
        say(**answer)


def _answer(
    check_target: Callable[..., tuple[ModelReport, ...]], target: Target, settings: Settings, progress: Callable[[str], None]
) -> dict[str, Any]:
    try:
        return {"reports": [to_plain(report) for report in check_target(target, settings, progress)]}
    except InitcheckError as error:
        kind = next((name for name, base in _RAISED.items() if isinstance(error, base)), "")
        return {"error": {"kind": kind, "stage": "load", "message": error.message, "hint": error.hint, "name": error.name}}
    except Exception as error:  # noqa: BLE001  (what initcheck did not foresee is reported as its own bug)
        import traceback

        sys.stderr.write(traceback.format_exc())
        message = f"initcheck itself failed on {target.spec}: {type(error).__name__}: {error}"
        return {"error": {"kind": "", "stage": "worker", "message": message, "hint": REPORT_HINT, "name": INTERNAL}}


REPORT_HINT = "please report this with the output of -vv: https://github.com/initcheck/initcheck/issues"
"""What to do about a bug."""


def _unimportable(error: Exception) -> Failure:
    hint = "pip install torch" if isinstance(error, ModuleNotFoundError) else "`python -c 'import torch'` must work in this environment"
    return Failure("load", "torch", f"torch cannot be imported: {type(error).__name__}: {error}", hint, "import-failed")


def main() -> None:
    """The child process from start to end."""
    serve()
    sys.stderr.flush()
    os._exit(0)  # torch takes long to take itself down, and nothing is left to do


if __name__ == "__main__":
    main()
