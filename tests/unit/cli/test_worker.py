"""The worker with an engine of a few lines in the place of torch and the real one."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

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
    if what == "interrupt": raise KeyboardInterrupt
    if what == "shy": exec(compile("raise ValueError('\\x1b[2J' + 'no ' * 100_000)", "model.py", "exec"))
    if what == "memory": bytearray(8 << 30)
    if what == "orphan":
        if os.fork() == 0:
            os.setsid(); print("child", os.getpid(), flush=True); time.sleep(30); os._exit(0)
        time.sleep(0.3)
    if what == "fork":
        while os.fork() or True: time.sleep(0.002)
    if what == "many":
        for number in range(5000): print(number, "x" * 5000)
    if what == "kill": print(os.getppid(), flush=True); os.kill(os.getpid(), signal.SIGTERM)
    if what == "slow": time.sleep(0.5)
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

    def check(*names, timeout=20.0, fork=True, **settings):
        lines, stages = [], []
        with Worker(Settings(seed=5, timeout=timeout, **settings), user_output=lines.append, progress=stages.append, fork=fork) as worker:
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


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and fork")


@LINUX
def test_memory_beyond_the_limit_is_named(checks):
    reports, _, _, _ = checks("memory", "b", max_memory="1GB")
    assert reports[0].failures[0].name == "too-large"
    assert "1.0 GB" in reports[0].failures[0].message
    assert reports[1].model == "b"


@LINUX
def test_processes_without_end_are_ended(checks):
    start = time.monotonic()
    reports, _, _, _ = checks("fork", "b", trust=True)
    assert reports[0].failures[0].name == "too-many-processes"
    assert reports[1].model == "b"
    assert time.monotonic() - start < 20


@LINUX
def test_what_left_its_group_is_ended_too(checks):
    _, lines, _, _ = checks("orphan", "b", trust=True)
    (line,) = [line for line in lines if line.startswith("child")]
    assert not Path(f"/proc/{line.split()[1]}").exists()


def test_an_interrupt_of_the_code_is_a_failure(checks):
    reports, _, _, _ = checks("interrupt", "b")
    assert reports[0].failures[0].name == "build-failed"
    assert reports[1].model == "b"


def test_what_the_users_objects_raise_is_no_bug_and_is_cut(checks):
    reports, lines, _, _ = checks("shy", "b")
    failure = reports[0].failures[0]
    assert failure.name == "build-failed"
    assert "model.py:1: ValueError: \\x1b[2Jno no" in failure.message
    assert len(failure.message) < 1100
    assert lines == []


def test_prints_are_passed_on_to_a_limit(checks):
    reports, lines, _, _ = checks("many", "b")
    assert reports[0].model == "many"
    assert len(lines) == 201
    assert max(map(len, lines)) < 2010
    assert lines[-1] == "… 4,800 more lines"


@LINUX
def test_the_parent_of_a_target_is_not_the_command(checks):
    reports, lines, _, _ = checks("kill", "b")
    assert int(lines[0]) != os.getpid()
    assert reports[0].failures[0].name == "crashed"
    assert "SIGTERM" in reports[0].failures[0].message


@pytest.mark.parametrize("fork", [True, False])
@pytest.mark.parametrize("jobs", [1, 3])
def test_the_order_is_that_of_the_targets(checks, fork, jobs):
    names = ("slow", "b", "print", "exit", "slow", "target", "c")
    reports, lines, _, _ = checks(*names, jobs=jobs, fork=fork)
    assert [report.target.qualname for report in reports] == list(names)
    assert [report.model for report in reports] == ["slow", "b", "print", "", "slow", "", "c"]
    assert lines == ["from python \u2713", "from below \\xff", "to stderr, no newline"]
