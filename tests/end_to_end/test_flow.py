"""Going through several targets: order, the cache, the last failed, the first bad one, and what is told of time."""

import os
import subprocess
import sys

import pytest

from initcheck.worker import Worker
from tests.end_to_end.process import NET, environment, here, run

LONG_AGO = 1_000_000_000
FILES = ("good_a.py", "bad_b.py", "good_c.py", "bad_d.py")


@pytest.fixture
def place(tmp_path):
    for name in FILES:
        (tmp_path / name).write_text(NET)
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    return tmp_path


@pytest.fixture
def checked(monkeypatch):
    """The targets that a process was asked for."""
    seen = []
    outcomes = Worker.outcomes

    def watched(self, targets, numbers=()):
        seen.extend(target.path for target in targets)
        return outcomes(self, targets, numbers)

    monkeypatch.setattr(Worker, "outcomes", watched)
    return seen


@pytest.mark.parametrize("kind", ["full", "json", "concise"])
def test_the_bytes_do_not_depend_on_the_jobs_or_the_cache(place, kind):
    options = (*FILES, "--output-format", kind)
    one = here(*options, "-n", "1", "--no-cache", cwd=place)
    assert one[0] == 1
    assert not (place / ".initcheck_cache").exists()
    assert here(*options, "-n", "4", "--no-cache", cwd=place) == one
    assert here(*options, cwd=place) == one
    assert here(*options, cwd=place) == one


def test_only_what_changed_is_checked_again(place, checked):
    here(*FILES, cwd=place)
    assert checked == list(FILES)
    checked.clear()
    here(*FILES, cwd=place)
    assert checked == []
    (place / "good_c.py").write_text(NET + "# more\n")
    here(*FILES, cwd=place)
    assert checked == ["good_c.py"]


def test_what_was_cached_is_told_on_request(place):
    here("good_a.py", cwd=place)
    assert "cached" not in here("good_a.py", cwd=place)[2]
    assert "good_a.py::model: cached" in here("good_a.py", "-v", cwd=place)[2]


def test_trust_is_told(place):
    assert "note: --trust:" in here("good_a.py", "--trust", cwd=place)[2]
    assert "--trust" not in here("good_a.py", cwd=place)[2]


def test_the_first_bad_target_ends_it(place):
    code, out, err = here(*FILES, "-x", cwd=place)
    assert code == 1
    assert "bad_b.py" in out
    assert "good_c.py" not in out
    assert "2 more models were not checked" in err


def test_the_last_failed(place, checked):
    here(*FILES, cwd=place)
    checked.clear()
    code, out, _ = here(*FILES, "--lf", "--no-cache", cwd=place)
    assert code == 1
    assert checked == ["bad_b.py", "bad_d.py"]
    assert "good_a.py" not in out


def test_a_keyword(place, checked):
    here(*FILES, "-k", "good and not a.py", cwd=place)
    assert checked == ["good_c.py"]
    code, _, err = here(*FILES, "-k", "resnet", cwd=place)
    assert code == 5
    assert "fits none of 4 models" in err


def test_durations(place):
    err = here(*FILES, "--durations", cwd=place)[2]
    assert "import of torch" in err
    assert all(name in err for name in FILES)
    assert here(*FILES, "--durations", cwd=place)[2].count("from the cache") == len(FILES)


def test_an_unchanged_target_needs_no_torch(place):
    script = "import sys; from initcheck.cli import main; main(['good_a.py']); print('torch' in sys.modules, file=sys.stderr)"
    code, out, _ = run("good_a.py", cwd=place)
    assert code == 0
    broken = f"import initcheck.worker.host as host; host.BOOT = 'raise SystemExit(9)'; {script}"
    answer = subprocess.run([sys.executable, "-c", broken], cwd=place, env=environment(), capture_output=True, text=True, check=True)
    assert answer.stdout == out
    assert answer.stderr == "False\n"


def test_a_module_that_the_file_imports_is_watched(place):
    (place / "sizes.py").write_text("WIDTH = 3\n")
    (place / "net.py").write_text("from torch import nn\nfrom sizes import WIDTH\n\nmodel = nn.Linear(WIDTH, 2)\n")
    for name in ("sizes.py", "net.py"):
        os.utime(place / name, (LONG_AGO, LONG_AGO))
    assert "8 parameters" in run("net.py", cwd=place)[1]
    (place / "sizes.py").write_text("WIDTH = 5\n")
    assert "12 parameters" in run("net.py", cwd=place)[1]
