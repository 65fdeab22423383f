"""The worker with an engine of a few lines in the place of torch and the real one."""

from __future__ import annotations

import signal
import time

import pytest

from initcheck.errors import UsageError
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.target import Target
from initcheck.worker import INTERNAL, Worker, run
from initcheck.worker import host as module

ENGINE = """
import sys, types, os, signal, time
from initcheck.errors import NothingToCheck, TargetError, UsageError
from initcheck.records.report import ModelReport

def check_target(target, settings, progress):
    progress("building " + target.spec)
    what = target.qualname
    if what == "crash": os.kill(os.getpid(), signal.SIGSEGV)
    if what == "exit": os._exit(7)
    if what == "system-exit": sys.exit(9)
    if what == "hang":
        import subprocess
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
        time.sleep(30)
    if what == "bug": raise ZeroDivisionError("by zero")
    if what == "target": raise TargetError("cannot build", "try this", name="needs-args")
    if what == "usage": raise UsageError("wrong input", "write 1,28,28")
    if what == "none": raise NothingToCheck("no model")
    if what == "print":
        print("from python \\u2713")
        os.write(1, b"from below \\xff\\n")
        sys.stderr.write("to stderr, no newline")
    if what == "read":
        print("got", repr(sys.stdin.read()))
    return (ModelReport(target, model=what, parameters=settings.seed, checked=("IC101",)),)

torch = types.ModuleType("torch"); torch.__version__ = "9.9"; sys.modules["torch"] = torch
engine = types.ModuleType("initcheck.engine"); engine.check_target = check_target; sys.modules["initcheck.engine"] = engine
"""


@pytest.fixture
def checks(monkeypatch):
    monkeypatch.setattr(
        module, "BOOT", module.BOOT.replace("from initcheck.worker.server", f"exec({ENGINE!r}); from initcheck.worker.server")
    )

    def check(*names, timeout=20.0, **settings):
        lines, stages = [], []
        with Worker(Settings(seed=5, timeout=timeout, **settings), user_output=lines.append, progress=stages.append) as worker:
            reports = list(run([target(name) for name in names], worker))
        return reports, lines, stages, worker

    return check


def target(name):
    return Target(f"m.py::{name}", "m.py", name, "class")


def test_records_go_in_and_come_out(checks):
    (report,), lines, stages, worker = checks("Net")
    assert report == ModelReport(target("Net"), model="Net", parameters=5, checked=("IC101",))
    assert (lines, stages, worker.torch) == ([], ["building m.py::Net"], "9.9")


def test_what_the_user_prints_is_handed_on_and_harms_nothing(checks):
    (report,), lines, _, _ = checks("print")
    assert report.model == "print"
    assert lines == ["from python ✓", "from below \\xff", "to stderr, no newline"]


def test_standard_input_is_empty(checks):
    (report,), lines, _, _ = checks("read")
    assert report.model == "read"
    assert lines == ["got ''"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals are named on POSIX only")
def test_a_crash_costs_only_its_target(checks):
    reports, _, _, _ = checks("a", "crash", "b", "exit", "system-exit", "c")
    assert [report.model for report in reports] == ["a", "", "b", "", "", "c"]
    failures = [report.failures[0] for report in reports if report.failures]
    assert [failure.name for failure in failures] == ["crashed"] * 3
    assert "died of SIGSEGV" in failures[0].message
    assert "exit code 7" in failures[1].message
    assert "exit code 9" in failures[2].message


def test_a_hang_is_stopped_with_all_its_children(checks):
    start = time.monotonic()
    reports, _, _, _ = checks("hang", "b", timeout=1.0, trust=True)
    assert time.monotonic() - start < 10
    assert reports[0].failures[0].name == "timeout"
    assert "longer than 1 s" in reports[0].failures[0].message
    assert reports[1].model == "b"


def test_errors_become_failures(checks):
    reports, lines, _, _ = checks("target", "bug", "none", "b")
    assert [report.failures[0].name for report in reports[:3]] == ["needs-args", INTERNAL, "no-model"]
    assert reports[0].failures[0].hint == "try this"
    assert "ZeroDivisionError: by zero" in reports[1].failures[0].message
    assert any("Traceback" in line for line in lines)
    assert reports[3].model == "b"


def test_a_wrong_setting_ends_the_command(checks):
    with pytest.raises(UsageError, match="wrong input"):
        checks("usage")


def test_a_missing_torch_is_said_in_a_line(monkeypatch):
    monkeypatch.setattr(module, "BOOT", "import sys; sys.modules['torch'] = None; " + module.BOOT)
    with Worker(Settings(), user_output=print, progress=print) as worker:
        failure = worker.check(target("Net"))[0].failures[0]
    assert failure.name == "import-failed"
    assert "pip install torch" in failure.hint


def test_nothing_is_left_running(checks):
    _, _, _, worker = checks("a")
    assert worker._hosts == []
