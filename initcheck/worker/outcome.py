"""What became of one target: its reports, or the error that ends the command, and what the run cost and read."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, replace
from typing import Any

from initcheck.errors import ConfigError, InitcheckError, NothingToCheck, UsageError
from initcheck.records.finding import Failure
from initcheck.records.report import ModelReport
from initcheck.records.serial import from_plain
from initcheck.records.target import Target
from initcheck.worker.limits import PROCESSES, shown

INTERNAL = "internal-error"
"""The name of a failure that is initcheck's own fault."""

REPORT_HINT = "please report this with the output of -vv: https://github.com/initcheck/initcheck/issues"
"""What to do about a bug."""

RAISED = {kind.__name__: kind for kind in (UsageError, ConfigError, NothingToCheck)}
"""Errors that cross the process as errors; all others become failures."""

_LONGEST = 1000
"""So many characters of a message are told."""
_STOPPED = ("timeout", "too-large", "too-many-processes", "crashed", INTERNAL)
_ALLOCATION = re.compile(r"can't allocate memory|\bMemoryError\b|out of memory|OutOfMemoryError|std::bad_alloc|Cannot allocate memory")
_ASKED = re.compile(r"you tried to allocate (\d+) bytes|[Tt]ried to allocate ([\d.]+ [KMGT]iB)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target.

    `error` is one that the caller raises. `lines` are what the user's code printed; `stages` hold ("stage", seconds) pairs; `loaded`
    ("kind", "path") pairs of what the target read beyond the installed packages; `began` is the time of the file system at its start.
    `result` is what other work than a check gave, as plain values.
    """

    target: Target
    reports: tuple[ModelReport, ...] = ()
    error: InitcheckError | None = None
    lines: tuple[str, ...] = ()
    stages: tuple[tuple[str, float], ...] = ()
    loaded: tuple[tuple[str, str], ...] = ()
    torch: str = ""
    began: float = 0.0
    cached: bool = False
    result: dict[str, Any] | None = None

    @property
    def repeatable(self) -> bool:
        """Whether the same files would give the same again: not so for what a limit or a crash ended."""
        failures = [failure for report in self.reports for failure in report.failures]
        return self.error is None and not any(failure.name in _STOPPED for failure in failures)


def reports_of(outcome: Outcome) -> tuple[ModelReport, ...]:
    """The reports of an outcome; that a target is no model is told as a failure of its own.

    Raises:
        UsageError: for a setting or an input that makes no sense.
    """
    error = outcome.error
    if isinstance(error, NothingToCheck):
        return (ModelReport(outcome.target, failures=(failure_of(error, outcome.target.spec),)),)
    if error is not None:
        raise error
    return outcome.reports


def failure_of(error: InitcheckError, subject: str, stage: str = "load") -> Failure:
    """An error as a record."""
    return Failure(stage, subject, error.message, error.hint, error.name)


def lost(target: Target, name: str, message: str, hint: str) -> tuple[ModelReport, ...]:
    """The report of a target whose process was ended or has ended."""
    return (ModelReport(target, failures=(Failure("worker", target.spec, f"{target.spec} {message}", hint, name),)),)


def late(target: Target, seconds: float) -> tuple[ModelReport, ...]:
    """The report of a target that took too long."""
    smaller = "give the program less to read" if target.kind == "program" else "check a smaller model"
    hint = f"raise it with --timeout SECONDS, or {smaller}"
    return lost(target, "timeout", f"took longer than {seconds:g} s and was stopped", hint)


def too_large(target: Target, limit: int) -> tuple[ModelReport, ...]:
    """The report of a target whose process grew too large."""
    return lost(target, "too-large", f"needs more memory than the limit of {shown(limit)} and was stopped", _smaller(target))


def too_many(target: Target) -> tuple[ModelReport, ...]:
    """The report of a target that started processes without end."""
    hint = "put the model alone into a function: def initcheck_model(): return Net(...)"
    return lost(target, "too-many-processes", f"started more than {PROCESSES} processes and was stopped", hint)


def crashed(target: Target, code: int | None) -> tuple[ModelReport, ...]:
    """The report of a target whose process ended without an answer."""
    if code is None or code >= 0:
        how = f"the code ended the whole process with exit code {code or 0}"
        return lost(target, "crashed", f"did not finish: {how}", "its own output stands above")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "its own output stands above"
    if name == "SIGKILL":
        hint = "the system may have run out of memory; --max-memory 4GB ends it earlier with a clear message"
    return lost(target, "crashed", f"did not finish: the process that ran it died of {name}", hint)


def read_answer(target: Target, answer: dict[str, Any], limit: int) -> tuple[tuple[ModelReport, ...], InitcheckError | None]:
    """The reports in the child's last message, or the error to raise."""
    if "result" in answer:
        return (), None
    if "error" not in answer:
        reports = tuple(from_plain(ModelReport, report) for report in answer["reports"])
        return tuple(_told(report, limit) for report in reports), None
    error = answer["error"]
    kind = RAISED.get(error["kind"])
    if kind is not None:
        return (), kind(error["message"], error["hint"], name=error["name"])
    failure = Failure(error["stage"], target.spec, error["message"], error["hint"], error["name"])
    return (_told(ModelReport(target, failures=(failure,)), limit),), None


def _told(report: ModelReport, limit: int) -> ModelReport:
    """The same report, in which an allocation that failed is named as what it is, and no text goes on for ever or moves the cursor."""
    return replace(report, failures=tuple(_about_memory(_tamed(failure), report.target, limit) for failure in report.failures))


def _tamed(failure: Failure) -> Failure:
    text = failure.message if len(failure.message) <= _LONGEST else f"{failure.message[:_LONGEST]} …"
    plain = "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)
    return replace(failure, message=plain)


def _about_memory(failure: Failure, target: Target, limit: int) -> Failure:
    found = _ALLOCATION.search(failure.message)
    if found is None or failure.name == INTERNAL:
        return failure
    asked = _ASKED.search(failure.message)
    size = "" if asked is None else f"{shown(int(asked[1])) if asked[1] else asked[2]} at once, "
    where = failure.message[: found.start()].split("\n")[0]
    where = re.split(r"\w*Error\b|\[enforce|DefaultCPUAllocator", where)[0].rstrip(" :")
    bound = f" than the limit of {shown(limit)}" if limit else " than there is"
    message = f"{where or target.spec}: needs {size}more memory{bound}"
    return replace(failure, message=message, hint=_smaller(target), name="too-large")


def _smaller(target: Target) -> str:
    name = target.spec.partition("(")[0]
    return f"--max-memory SIZE raises the limit, or check a smaller one: initcheck '{name}(...)' with fewer layers or less width"
