"""The command line as a process, with the real engine or with one of a few lines that needs no torch."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from initcheck import cli
from initcheck.worker import host

ROOT = Path(__file__).resolve().parents[2]

ENGINE = """
import sys, types, time
from initcheck.records.finding import Finding
from initcheck.records.report import ModelReport
from initcheck.records.source import Location
from initcheck.records.target import InputSummary

def check_target(target, settings, progress):
    if "hang" in target.path:
        print("hanging", flush=True)
        time.sleep(60)
    if "bug" in target.path:
        raise ZeroDivisionError("division by zero")
    found = [
        Finding("IC301", "zero-weight", "error", ("größer.weight",), f"fault {n} of ✓", location=Location(target.path, 1, 1, 7))
        for n in range(400 if "many" in target.path else 1)
        if "good" not in target.path
    ]
    return (ModelReport(target, "Net", 10, None, InputSummary("float32[2,3]", "guessed"), tuple(found), checked=("IC301",)),)

sys.modules["torch"] = types.ModuleType("torch")
sys.modules["torch"].__version__ = "9.9"
engine = types.ModuleType("initcheck.engine")
engine.check_target = check_target
sys.modules["initcheck.engine"] = engine
"""

BOOT = host.BOOT.replace("from initcheck.worker", f"exec({ENGINE!r}); from initcheck.worker")

FAKE = f"""
import sys
import initcheck.worker.host as host
host.BOOT = {BOOT!r}
from initcheck.cli import main
sys.exit(main())
"""

NET = """\
from torch import nn

model = nn.Linear(3, 2)
"""


def environment(**extra):
    usual = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INITCHECK_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "PYTEST_"))
    }
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**usual, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **extra}


def start(*arguments, cwd, fake=False, **options):
    head = ["-c", FAKE] if fake else ["-m", "initcheck"]
    return subprocess.Popen(
        [sys.executable, *head, *map(str, arguments)], cwd=cwd, env=environment(**options), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run(*arguments, cwd, fake=False, encoding="utf-8", **options):
    """(exit code, standard output, standard error)."""
    process = start(*arguments, cwd=cwd, fake=fake, **options)
    out, err = process.communicate(timeout=240)
    return process.returncode, out.decode(encoding).replace("\r\n", "\n"), err.decode(encoding).replace("\r\n", "\n")


def here(*arguments, cwd):
    """As `run` with the small engine, but the parent is this very process, which costs less."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        mock.patch.object(host, "BOOT", BOOT),
        mock.patch.dict(os.environ, environment(), clear=True),
    ):
        code = cli.main([str(argument) for argument in arguments])
    for stream in streams:
        stream.flush()
    return code, *(stream.buffer.getvalue().decode() for stream in streams)
