"""Files that attack, break or confuse the checker: the right exit code, no frame of ours, the neighbours checked, nothing touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.process import NET, environment

HOSTILE = Path(__file__).parents[1] / "models" / "hostile"
HEADER = re.compile(r"^# (expect|options): *(.+?) *$", re.MULTILINE)
OUR_FRAME = re.compile(r'File "[^"]*initcheck[/\\][^"]*", line')
LIMIT = 180
MARK = "HOSTILE_TEST_RUN"
NET_IN_CLASS = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run of the command line left behind."""

    code: int
    out: str
    err: str
    stray: tuple[int, ...]
    """Processes that outlived the command."""

    def __repr__(self):
        return f"Answer({self.code})"

    @property
    def report(self):
        return json.loads(self.out)

    def told(self):
        try:
            failures = [f"{failure['name']}: {failure['message'][:300]}" for failure in failures_of(self.report)]
        except ValueError:
            failures = [self.out[:300]]
        return "\n".join([f"exit code {self.code}", *failures, self.err[-1500:]])

    def models(self, name):
        return [model for model in self.report["models"] if Path(model["target"]["path"]).name == name]


def generated():
    """Name, source bytes and acceptable exit codes of what cannot be stored as a text file of the repository."""
    literal = "DATA = [\n" + "    [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875],\n" * 21_000 + "]\n"
    assert len(literal) > 1_000_000
    chain = "TEXT = " + " + ".join(["'a'"] * 600) + "\n"
    branches = "if False:\n    pass\n" + "".join(f"elif WIDTH == {number}:\n    pass\n" for number in range(800))
    return {
        "latin_undeclared": (NET_IN_CLASS.encode() + "# caf\xe9\n".encode("latin-1"), {4}),
        "latin_declared": (b"# -*- coding: latin-1 -*-\n" + NET_IN_CLASS.encode() + "NAME = 'caf\xe9'\n".encode("latin-1"), {0}),
        "unknown_coding": (b"# -*- coding: klingon -*-\n" + NET_IN_CLASS.encode(), {4}),
        "utf8_mark": (b"\xef\xbb\xbf" + NET_IN_CLASS.encode(), {0}),
        "utf16": (NET_IN_CLASS.encode("utf-16"), {4}),
        "nul_bytes": (NET_IN_CLASS.encode() + b"x = '\0'\n", {4}),
        "one_megabyte": ((literal + NET_IN_CLASS).encode(), {0}),
        "one_long_line": (("DATA = [" + "0.5, " * 200_000 + "]\n" + NET_IN_CLASS).encode(), {0}),
        "long_sum": ((chain + NET_IN_CLASS.replace("Linear(4, 2)", "Linear(4, len(TEXT))")).encode(), {0}),
        "many_branches": (("WIDTH = 4\n" + branches + NET_IN_CLASS.replace("4, 2", "WIDTH, 2")).encode(), {0}),
        "nested_parentheses": ((NET_IN_CLASS + "x = " + "(" * 3000 + "1" + ")" * 3000 + "\n").encode(), {4}),
        "nested_sum": (("WIDTH = " + "1 + " * 20_000 + "1\n" + NET_IN_CLASS.replace("4, 2", "4, WIDTH")).encode(), {0, 4}),
        "nested_calls": ((NET_IN_CLASS + "model = " + "nn.Sequential(" * 90 + "Net()" + ")" * 90 + "\n").encode(), {0}),
        "carriage_returns": (NET_IN_CLASS.replace("\n", "\r").encode(), {0}),
    }


GENERATED = generated()
STORED = sorted(path.stem for path in HOSTILE.glob("*.py"))


@pytest.fixture
def place(tmp_path):
    """A folder to stand in, with a good file beside the bad one, and things that must survive."""
    home = tmp_path / "home"
    here = tmp_path / "here"
    (here / "folder").mkdir(parents=True)
    home.mkdir()
    (home / "sentinel.txt").write_text("precious", encoding="utf-8")
    (here / "sentinel.txt").write_text("precious", encoding="utf-8")
    (here / "folder" / "inside.txt").write_text("precious", encoding="utf-8")
    (here / "good.py").write_text(NET, encoding="utf-8")
    return here


def contents(place):
    ours = {"__pycache__", ".initcheck_cache", ".cache"}
    found = {path: path.stat().st_mode for path in place.parent.rglob("*") if not ours & set(path.parts)}
    return {path: (mode, path.read_bytes() if path.is_file() else None) for path, mode in found.items()}


def initcheck(*arguments, place, **variables):
    """Run in a session of its own with a standard input that never ends, and count what survives."""
    mark = uuid.uuid4().hex
    variables = {**variables, MARK: mark, "HOME": str(place.parent / "home")}
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "initcheck", *arguments, "--output-format", "json"],
        cwd=place,
        env=environment(**variables),
        stdin=reader,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(reader)
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        survivors(mark, patience=0)
        process.kill()
        out, err = process.communicate(timeout=10)
        pytest.fail(f"still running after {LIMIT} s: {err.decode('utf-8', 'replace')[-2000:]}")
    finally:
        os.close(writer)
    stray = survivors(mark, patience=3)
    return Answer(process.returncode, out.decode("utf-8"), err.decode("utf-8", "replace"), stray)


def survivors(mark, patience):
    """The marked processes that are still there after a while; they are ended."""
    deadline = time.monotonic() + patience
    while (found := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.2)
    for process in found:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return tuple(found)


def marked(mark):
    if not Path("/proc").is_dir():
        return []
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            carries = f"{MARK}={mark}".encode() in (folder / "environ").read_bytes()
            ended = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if carries and not ended and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def judge(answer, codes, name, place, before):
    told = answer.told()
    assert answer.code in codes, told
    assert not OUR_FRAME.search(answer.err), told
    assert contents(place) == before, "files changed"
    assert not answer.stray, f"{len(answer.stray)} processes are left"
    assert not set("\x1b\x07\x9b") & set(answer.out + answer.err), "escapes reached the terminal"
    assert len(answer.err) < 100_000
    good = answer.models("good.py")
    assert [model["parameters"] for model in good] == [8], told
    assert not good[0]["failures"], told
    failures = [failure for failure in answer.report["failures"] if name in failure["subject"]]
    failures += [failure for model in answer.models(f"{name}.py") for failure in model["failures"]]
    if answer.code == 4:
        assert failures, told
        assert all(failure["message"] and len(failure["message"]) < 5000 for failure in failures), told
        assert all("good.py" not in failure["subject"] for failure in failures), told
    elif answer.code in {0, 1}:
        assert not failures, told
        assert any(model["parameters"] for model in answer.models(f"{name}.py")), told


@pytest.mark.slow
@pytest.mark.parametrize("name", STORED)
def test_stored(name, place):
    shutil.copy(HOSTILE / f"{name}.py", place)
    marks = dict(HEADER.findall((place / f"{name}.py").read_text(encoding="utf-8")))
    codes = {int(code) for code in marks["expect"].split()}
    options = marks.get("options", "--timeout 60").split()
    before = contents(place)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        answer = initcheck(f"{name}.py", "good.py", *options, place=place, HOSTILE_PORT=str(server.getsockname()[1]))
        with pytest.raises(TimeoutError):
            server.accept()
    judge(answer, codes, name, place, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATED)
def test_generated(name, place):
    source, codes = GENERATED[name]
    (place / f"{name}.py").write_bytes(source)
    before = contents(place)
    answer = initcheck(f"{name}.py", "good.py", place=place)
    judge(answer, codes, name, place, before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        ("import sizes\n", "import cyclic\n\nWIDTH = 8\n", {0}),
        ("import sizes\nfrom sizes import WIDTH\n", "from cyclic import Net\n\nWIDTH = 8\n", {4}),
    ],
    ids=["that works", "that fails in Python too"],
)
def test_two_modules_import_each_other(first, second, codes, place):
    (place / "cyclic.py").write_text(first + NET_IN_CLASS.replace("4, 2", "4, sizes.WIDTH"), encoding="utf-8")
    (place / "sizes.py").write_text(second, encoding="utf-8")
    before = contents(place)
    judge(initcheck("cyclic.py", "good.py", place=place), codes, "cyclic", place, before)


@pytest.mark.slow
def test_a_folder_that_contains_itself(place):
    (place / "folder" / "model.py").write_text(NET, encoding="utf-8")
    (place / "folder" / "again").symlink_to(place / "folder", target_is_directory=True)
    (place / "folder" / "nowhere.py").symlink_to(place / "missing.py")
    os.mkfifo(place / "folder" / "pipe.py")
    answer = initcheck("folder", "good.py", place=place)
    assert answer.code in {0, 4}, answer.err
    assert not OUR_FRAME.search(answer.err)
    assert [model["parameters"] for model in answer.models("model.py")] == [8]
    assert len(answer.models("good.py")) == 1
    assert not answer.stray


@pytest.mark.slow
def test_every_attack_in_one_command(place):
    """The neighbours are checked although all of these break in the same command."""
    names = [
        "hard_exit_in_init",
        "segfault_in_init",
        "exit_in_init",
        "raises_keyboard_interrupt",
        "forward_never_ends",
        "closes_descriptors",
    ]
    for name in names:
        shutil.copy(HOSTILE / f"{name}.py", place)
    answer = initcheck(
        *(f"{name}.py" for name in names[:3]), "good.py", *(f"{name}.py" for name in names[3:]), "--timeout", "8", place=place
    )
    assert answer.code == 4, answer.err
    assert [model["parameters"] for model in answer.models("good.py")] == [8]
    failed = {Path(failure["subject"].partition("::")[0]).stem for failure in failures_of(answer.report)}
    assert failed == set(names[:-1])
    assert not answer.stray


def failures_of(report):
    return [*report["failures"], *(failure for model in report["models"] for failure in model["failures"])]


def test_the_set_is_complete():
    assert len(STORED) + len(GENERATED) >= 45
    for name in STORED:
        marks = dict(HEADER.findall((HOSTILE / f"{name}.py").read_text(encoding="utf-8")))
        assert set(marks["expect"].split()) <= {"0", "1", "4"}, name
