"""Where a target ends that goes on without end, and that neither the others nor the system notice; an engine of a few lines."""

import importlib
import os
import sys
import time
import types

import pytest

from initcheck.records.settings import Settings
from initcheck.records.target import Recipe, Target
from initcheck.worker import Worker, host, run, server
from initcheck.worker.ahead import shared_imports
from initcheck.worker.job import LINES, Job
from initcheck.worker.limits import available_memory, usage
from initcheck.worker.watch import AGAIN, Watch

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="figures come from /proc")

ENGINE = """
import sys, types, os, time, tempfile
from initcheck.records.report import ModelReport

def check_target(target, settings, progress):
    progress("building " + target.spec)
    what, _, number = target.qualname.partition("_")
    if what == "hold":
        held = bytearray(int(number) * 1_000_000)
        held[::1000] = b"x" * len(held[::1000])
        time.sleep(1.0)
    if what == "shared":
        import mmap
        held = mmap.mmap(-1, int(number) * 1_000_000)
        for place in range(0, len(held), 1000): held[place] = 1
        time.sleep(20)
    if what == "many":
        for _ in range(int(number)):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        time.sleep(60)
    if what == "daemon":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                print("daemon", os.getpid(), flush=True)
                time.sleep(60)
            os._exit(0)
        os.wait()
        time.sleep(0.3)
    if what == "print":
        for line in range(int(number)): print(line)
    if what == "long": print("x" * 100_000)
    if what == "quiet":
        os.close(1); os.close(2); sys.stdout = None; sys.stderr = object()
    if what == "scratch":
        print(tempfile.gettempdir())
        open(os.path.join(tempfile.gettempdir(), "left"), "w").close()
    if what == "sleep": time.sleep(float(number) / 10)
    return (ModelReport(target, model=target.qualname),)

torch = types.ModuleType("torch"); torch.__version__ = "9.9"; sys.modules["torch"] = torch
engine = types.ModuleType("initcheck.engine"); engine.check_target = check_target; sys.modules["initcheck.engine"] = engine
"""


def target(name):
    return Target(f"m.py::{name}", "m.py", name, "class")


@pytest.fixture
def checks(monkeypatch):
    marker = "from initcheck.worker.server"
    monkeypatch.setattr(host, "BOOT", host.BOOT.replace(marker, f"exec({ENGINE!r}); {marker}"))

    def check(*names, fork=True, **settings):
        lines = []
        with Worker(
            Settings(trust=True, **settings), user_output=lines.append, progress=lines.append, planned=len(names), fork=fork
        ) as worker:
            reports = list(run([target(name) for name in names], worker))
        return (
            [report.model or report.failures[0].name for report in reports],
            [line for line in lines if not line.startswith("[")],
            reports,
        )

    return check


@LINUX
@pytest.mark.parametrize("way", ["hold", "shared"])
def test_memory_has_an_end(checks, way):
    names, _, reports = checks(f"{way}_300", "b", max_memory="150MB", jobs=1)
    assert names == ["too-large", "b"]
    assert "150.0 MB" in reports[0].failures[0].message
    assert "--max-memory" in reports[0].failures[0].hint


@LINUX
def test_what_is_too_much_together_is_checked_one_after_the_other(checks):
    names, _, _ = checks("hold_100", "hold_101", "hold_102", max_memory="180MB", jobs=3)
    assert names == ["hold_100", "hold_101", "hold_102"]


@LINUX
def test_processes_have_an_end(checks):
    names, _, reports = checks("many_250", "b")
    assert names == ["too-many-processes", "b"]
    assert "more than 200 processes" in reports[0].failures[0].message


@LINUX
def test_a_process_that_left_its_group_is_ended_too(checks):
    names, lines, _ = checks("daemon", "b", jobs=1)
    assert names == ["daemon", "b"]
    (line,) = [line for line in lines if line.startswith("daemon")]
    with pytest.raises(ProcessLookupError):
        os.kill(int(line.split()[1]), 0)


@pytest.mark.parametrize("fork", [True, False])
def test_output_has_an_end(checks, fork):
    names, lines, _ = checks("print_1000", "long", "b", fork=fork, jobs=1)
    assert names == ["print_1000", "long", "b"]
    printed = [line for line in lines if line.isdigit()]
    assert printed == [str(number) for number in range(LINES)]
    assert lines[LINES + 1] == f"… {1000 - LINES} more lines" or f"… {1000 - LINES} more lines" in lines
    assert max(map(len, lines)) < 3000


def test_streams_that_are_closed_cost_no_answer(checks):
    assert checks("quiet", "b")[0] == ["quiet", "b"]


def test_the_order_is_that_of_the_targets(checks):
    start = time.monotonic()
    names, lines, _ = checks("sleep_15", "print_2", "sleep_10", "print_3", "sleep_05", jobs=5)
    assert names == ["sleep_15", "print_2", "sleep_10", "print_3", "sleep_05"]
    assert [line for line in lines if line.isdigit()] == ["0", "1", "0", "1", "2"]
    assert time.monotonic() - start < 3 * 15


@pytest.mark.parametrize("fork", [True, False])
def test_the_scratch_folder_is_the_targets_own_and_goes(checks, fork):
    names, lines, _ = checks("scratch", "scratch", fork=fork, jobs=1)
    folders = {line for line in lines if "initcheck-" in line}
    assert len(folders) == len(names) == 2
    assert not any(os.path.exists(folder) for folder in folders)


def test_one_process_after_the_other_where_none_can_fork(checks):
    names, _, _ = checks("a", "sleep_20", "b", "sleep_19", "c", fork=False, timeout=1.0, jobs=2)
    assert names == ["a", "timeout", "b", "timeout", "c"]


@LINUX
def test_the_watch_makes_the_last_of_several_wait():
    own = usage(os.getpid())[0]
    jobs = [Job(number, target(str(number)), 60.0, own * 2, process=os.getpid(), since=time.monotonic()) for number in (2, 3, 1)]
    late = list(Watch(own * 2).large(jobs, time.monotonic(), 0))
    assert [(job.number, job.why) for job in late] == [(3, AGAIN)]


@pytest.mark.parametrize("driver", [True, False])
def test_a_gpu_is_left_alone_before_the_fork(monkeypatch, driver):
    asked = []
    torch = types.SimpleNamespace(autograd=None, set_num_threads=asked.append, nn=importlib.import_module("torch").nn)
    monkeypatch.setattr(server, "gpu_driver", lambda: driver)
    server._warm(torch)
    assert asked == ([] if driver else [1])


@LINUX
def test_what_is_available_is_less_than_there_is():
    assert 0 < available_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_packages_that_several_targets_import_are_imported_ahead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.py"
    path.write_text("import torchvision.models as models\nfrom timm import create_model\nimport transformers\n")
    first = Target("m.py::a", str(path), "a", "class", recipe=Recipe((0, 1), 3))
    second = Target("m.py::b", str(path), "b", "class", recipe=Recipe((0, 1, 2), 3, unneeded=("create_model",)))
    assert shared_imports([first], online=False) == []
    assert shared_imports([first, second], online=False) == ["torchvision"]
    assert shared_imports([first, first], online=False) == ["torchvision", "timm"]
    assert shared_imports([first, first], online=True) == ["torchvision"]
    (tmp_path / "torchvision").mkdir()
    assert shared_imports([first, first], online=False) == ["timm"]
