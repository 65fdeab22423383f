"""The cache of answers: what it gives back, and what makes it forget."""

import json
import os
import time
from dataclasses import replace

import pytest

from initcheck.cache import KEPT, NAME, Cache, Kept, digest, project
from initcheck.records.finding import Failure
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.target import Recipe, Target

LONG_AGO = 1_000_000_000


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.py", "sizes.py"):
        (tmp_path / name).write_text("x = 1\n")
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    (tmp_path / "data").mkdir()
    return tmp_path


def target(**changes):
    return replace(Target("model.py::Net", "model.py", "Net", "class", recipe=Recipe((0,), 1)), **changes)


def kept(**changes):
    return Kept((replace(ModelReport(target(), "Net", 58, checked=("IC201",)), **changes),), ("hello",), "2.0")


def keep(cache, place, **changes):
    read = [("file", str(place / "sizes.py")), ("folder", str(place / "data")), ("file", str(place / "later.json"))]
    cache.keep(target(), kept(**changes), read, time.time())


def cache_of(place, threads=1, **settings):
    return Cache(Settings(**settings), threads, place)


def test_an_unchanged_target_is_answered(place):
    keep(cache_of(place), place)
    assert cache_of(place).find(target()) == kept()
    assert cache_of(place, jobs=3, timeout=5.0, max_memory="1GB", fail_on="info").find(target()) == kept()


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "model.py").write_text("x = 2\n"),
        lambda place: (place / "sizes.py").write_text("x = 2\n"),
        lambda place: (place / "sizes.py").unlink(),
        lambda place: (place / "data" / "more.csv").write_text(""),
        lambda place: (place / "later.json").write_text("{}"),
    ],
    ids=["the file", "a module", "a module that is gone", "a folder that was listed", "a file that was looked for in vain"],
)
def test_what_a_target_rests_on_makes_it_forget(place, change):
    keep(cache_of(place), place)
    change(place)
    assert cache_of(place).find(target()) is None


def test_a_variable_that_the_source_asks_for_counts(place, monkeypatch):
    monkeypatch.delenv("WIDTH", raising=False)
    (place / "sizes.py").write_text("import os\nwidth = os.environ.get('WIDTH', '64')\n")
    os.utime(place / "sizes.py", (LONG_AGO, LONG_AGO))
    keep(cache_of(place), place)
    assert cache_of(place).find(target()) == kept()
    monkeypatch.setenv("HEIGHT", "3")
    assert cache_of(place).find(target()) == kept()
    monkeypatch.setenv("WIDTH", "128")
    assert cache_of(place).find(target()) is None


def test_settings_threads_and_targets_are_told_apart(place, monkeypatch):
    keep(cache_of(place), place)
    assert cache_of(place, seed=1).find(target()) is None
    assert cache_of(place, trust=True).find(target()) is None
    assert cache_of(place, threads=2).find(target()) is None
    assert cache_of(place).find(target(arguments="width=3")) is None
    monkeypatch.setenv("TORCH_HOME", "/elsewhere")
    assert cache_of(place).find(target()) is None


def test_failures_programs_and_moving_files_are_not_kept(place):
    keep(cache_of(place), place, failures=(Failure("build", "model.py::Net", "no", "", "build-failed"),))
    assert not (place / NAME).exists()
    cache_of(place).keep(target(kind="program", recipe=None), kept(), [], time.time())
    assert not (place / NAME).exists()
    (place / "model.py").write_text("x = 3\n")
    keep(cache_of(place), place)
    assert not (place / NAME).exists()


def test_a_damaged_entry_is_no_answer_and_is_written_anew(place):
    keep(cache_of(place), place)
    (entry,) = [path for path in (place / NAME).glob("*.json")]
    for text in ("", "{", "[]", "null", '{"read": 3}', '{"read": [], "reports": [{"target": 1}], "lines": [], "torch": ""}'):
        entry.write_text(text)
        assert cache_of(place).find(target()) is None
    entry.write_bytes(b"\xff\xfe")
    assert cache_of(place).find(target()) is None
    keep(cache_of(place), place)
    assert cache_of(place).find(target()) == kept()


def test_a_place_that_cannot_be_written_is_no_error(place):
    (place / NAME).write_text("a file of this name")
    keep(cache_of(place), place)
    cache_of(place).remember(frozenset({"a"}), frozenset())
    assert cache_of(place).find(target()) is None
    assert cache_of(place).failed() == frozenset()


def test_the_folder_tells_others_to_leave_it_alone(place):
    keep(cache_of(place), place)
    assert (place / NAME / ".gitignore").read_text() == "*\n"
    assert (place / NAME / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert not list((place / NAME).glob("*.new"))


def test_the_oldest_answers_go(place):
    (place / NAME).mkdir()
    for number in range(KEPT + 1):
        path = place / NAME / f"{number}.json"
        path.write_text("{}")
        os.utime(path, (LONG_AGO + number, LONG_AGO + number))
    keep(cache_of(place), place)
    held = {path.name for path in (place / NAME).glob("*.json")}
    assert len(held) == KEPT // 2
    assert f"{KEPT}.json" in held
    assert cache_of(place).find(target()) == kept()


def test_targets_that_failed_are_remembered(place):
    cache_of(place).remember(frozenset({"a", "b"}), frozenset())
    cache_of(place).remember(frozenset({"c"}), frozenset({"a"}))
    assert cache_of(place, seed=9).failed() == {"b", "c"}
    (place / NAME / "last-failed.json").write_text(json.dumps({"no": "list"})[:-3])
    assert cache_of(place).failed() == frozenset()


def test_the_project_is_the_nearest_folder_with_a_mark(place, monkeypatch):
    (place / "pyproject.toml").write_text("")
    monkeypatch.chdir(place / "data")
    assert project() == place


def test_digests_tell_kinds_apart(place):
    assert digest("file", str(place / "nowhere")) == digest("folder", str(place / "nowhere")) == "absent"
    assert digest("file", str(place / "data")) == "no file"
    os.mkfifo(place / "pipe")
    assert digest("file", str(place / "pipe")) == "no file"
