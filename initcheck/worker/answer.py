"""One target inside its process: limits on, engine run, and everything that comes of it as one message."""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from initcheck.errors import InitcheckError
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.settings import SCRATCH, Settings
from initcheck.records.target import Target
from initcheck.worker.landlock import confine
from initcheck.worker.limits import limit_data
from initcheck.worker.outcome import INTERNAL, RAISED, REPORT_HINT
from initcheck.worker.pipes import Pipe

REPAIR_HINT = "`python` must be able to build and run the model too"

_NOT_THE_USERS = (
    "<",
    f"{Path(__file__).parents[1]}{os.sep}",
    *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")),
)
_STREAMS: list[TextIO | None] = [sys.stdout, sys.stderr]


def answer(request: dict[str, Any], checker: Callable[..., Any], pipe: Pipe, *, own_process: bool) -> None:
    """Checks one target and writes the answer; code that exits ends the process.

    `own_process` says that nothing else will run in this process, so that limits need not be taken back.
    """
    number = request["check"]
    target, settings = from_plain(Target, request["target"]), from_plain(Settings, request["settings"])
    stages = Stages()

    def progress(text: str) -> None:
        stages.begin(text.split(maxsplit=1)[0])
        pipe.write({"id": number, "progress": text})

    _prepare(request, own_process=own_process)
    if own_process and not settings.trust and target.kind != "program":  # a program is run as it is
        confine(request["scratch"], target.fill.out if target.fill is not None else "")
    before = frozenset(sys.modules)

    def checked() -> dict[str, Any]:
        if request.get("work"):
            return {"result": _work(request["work"])(target, settings, request["asked"], progress)}
        reports = [to_plain(report) for report in checker(target, settings, progress)]
        return {"reports": reports, "loaded": _loaded(before, request["scratch"])}

    try:
        result = _told(target, checked)
    except SystemExit as ending:
        end(ending.code if isinstance(ending.code, int) else int(ending.code is not None))
    flushed()
    pipe.write({"id": number, "answer": {**result, "stages": stages.ended()}})


def _work(name: str) -> Callable[..., dict[str, Any]]:
    """What is to be done instead of a check: `package.module:function`."""
    module, _, function = name.partition(":")
    work: Callable[..., dict[str, Any]] = getattr(importlib.import_module(module), function)
    return work


def _loaded(before: frozenset[str], scratch: str) -> list[tuple[str, str]]:
    """What the target read; nothing where the engine never came to load the guard."""
    reading = sys.modules.get("initcheck.construct.guard.reading")
    return [] if reading is None else reading.all_read(before, scratch)


class Stages:
    """How long each stage took."""

    def __init__(self) -> None:
        self._found: list[tuple[str, float]] = []
        self._name, self._since = "", time.perf_counter()

    def begin(self, name: str) -> None:
        """The stage before ends here."""
        now = time.perf_counter()
        if self._name:
            self._found.append((self._name, now - self._since))
        self._name, self._since = name, now

    def ended(self) -> list[tuple[str, float]]:
        """All of them; the last one ends now."""
        self.begin("")
        return self._found


def end(code: int) -> NoReturn:
    """Ends the process at once: no `atexit` of the user's, no waiting for threads."""
    flushed()
    os._exit(code)


def flushed() -> None:
    """Writes out what was printed; the user's code may have closed or replaced the streams."""
    for stream in {id(stream): stream for stream in (*_STREAMS, sys.stdout, sys.stderr)}.values():
        try:
            if stream is not None:
                stream.flush()
        except Exception:  # noqa: BLE001, S112  (a stream of the user's may raise anything, and there is nowhere to tell)
            continue


def _prepare(request: dict[str, Any], *, own_process: bool) -> None:
    torch = sys.modules["torch"]
    if hasattr(torch, "set_num_threads"):
        torch.set_num_threads(request["threads"])
    os.environ[SCRATCH] = request["scratch"]
    if request["scratch"]:
        tempfile.tempdir = None
        for name in ("TMPDIR", "TEMP", "TMP"):
            os.environ[name] = request["scratch"]
    limit_data(request["memory"])
    if own_process:
        _first_to_go()


def _first_to_go() -> None:
    """If the system runs out of memory all the same, this process is to go; a crash leaves no core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        return


def _told(target: Target, checked: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `checked` gives, or what it raised."""
    try:
        return checked()
    except InitcheckError as error:
        kind = next((name for name, base in RAISED.items() if isinstance(error, base)), "")
        return {"error": {"kind": kind, "stage": "load", "message": error.message, "hint": error.hint, "name": error.name}}
    except KeyboardInterrupt:  # this process leads a session of its own, which no key of the terminal reaches
        message = f"{target.spec}: its own code raised KeyboardInterrupt"
        return {"error": {"kind": "", "stage": "build", "message": message, "hint": REPAIR_HINT, "name": "build-failed"}}
    except MemoryError:
        return {"error": {"kind": "", "stage": "worker", "message": f"{target.spec}: MemoryError", "hint": "", "name": "too-large"}}
    except Exception as error:  # noqa: BLE001  (what initcheck did not foresee is reported as its own bug)
        place = _place_of_the_user(error)
        if place:  # what the user's objects do when they are looked at
            message = f"{target.spec} cannot be examined: {place}: {type(error).__name__}: {error}"
            return {"error": {"kind": "", "stage": "build", "message": message, "hint": REPAIR_HINT, "name": "build-failed"}}
        flushed()
        os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
        message = f"initcheck itself failed on {target.spec}: {type(error).__name__}: {error}"
        return {"error": {"kind": "", "stage": "worker", "message": message, "hint": REPORT_HINT, "name": INTERNAL}}


def _place_of_the_user(error: BaseException) -> str:
    """The line that raised, when it is one of the user's; empty when it is the library's or a package's."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    path, line = places[-1] if places else ("<", 0)
    return "" if path.startswith(_NOT_THE_USERS) or "-packages" in path else f"{path}:{line}"
