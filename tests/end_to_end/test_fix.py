"""`initcheck fix` as a process: what it writes, says and exits with."""

import json
import subprocess
import sys

import pytest

from initcheck.fix.source.text import decoded
from initcheck.records.settings import Settings
from initcheck.remedy.fixing import Order, mend
from tests.end_to_end.process import ROOT, environment
from tests.marks import MODELS
from tests.mending import HAS_GIT, checker, edited, git

DEEP = """\
from torch import nn

model = nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))
"""

CONSTANT = DEEP + "nn.init.constant_(model[0].weight, 0.1)  # mine\n"


def fix(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "initcheck", "fix", *arguments], cwd=folder, capture_output=True, env=environment(), check=False
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def test_a_safe_fix_is_written_and_proven(folder):
    (folder / "net.py").write_text(DEEP, encoding="utf-8")
    done = fix(folder, "net.py")
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "Rewrote net.py (+3 -0)" in said and "default-under-depth" in said and "fixed" in said and "No findings remain." in said
    again = fix(folder, "net.py")
    assert again.returncode == 0 and "Nothing to fix." in again.stdout.decode()


@pytest.mark.skipif(not HAS_GIT, reason="needs git")
def test_a_diff_is_for_git_and_says_the_rest_elsewhere(folder):
    (folder / "net work.py").write_bytes(CONSTANT.replace("\n", "\r\n").encode())
    git(folder, "init", "-q")
    git(folder, "add", ".")
    shown = fix(folder, "net work.py", "--diff", "--unsafe-fixes")
    assert shown.returncode == 1
    assert b"Would fix" in shown.stderr and shown.stdout.startswith(b"--- a/net work.py")
    assert (folder / "net work.py").read_bytes() == CONSTANT.replace("\n", "\r\n").encode()
    checked = fix(folder, "net work.py", "--check", "--unsafe-fixes")
    assert checked.returncode == 1 and b"Would rewrite" in checked.stdout
    git(folder, "apply", "-", data=shown.stdout)
    by_git = (folder / "net work.py").read_bytes()
    git(folder, "checkout", "-q", ".")
    done = fix(folder, "net work.py", "--unsafe-fixes")
    assert done.returncode == 0
    assert (folder / "net work.py").read_bytes() == by_git != CONSTANT.replace("\n", "\r\n").encode()
    assert "git checkout -p 'net work.py'" in done.stdout.decode()


def test_what_needs_leave_is_declined_with_lines_to_paste(folder):
    (folder / "net.py").write_text(CONSTANT, encoding="utf-8")
    done = fix(folder, "net.py", "--only", "IC302")
    said = done.stdout.decode()
    assert done.returncode == 1
    assert "--unsafe-fixes" in said and "to paste" in said and "(model[0].weight, " in said and "Nothing was changed." in said
    assert (folder / "net.py").read_text(encoding="utf-8") == CONSTANT


def test_json_carries_edits_that_make_the_same_file(folder):
    (folder / "net.py").write_text(CONSTANT, encoding="utf-8")
    told = json.loads(fix(folder, "net.py", "--diff", "--unsafe-fixes", "--output-format", "json").stdout)
    (change,) = told["files"]
    assert told["written"] is False and {row["code"] for row in told["rows"]} >= {"IC302"}
    from initcheck.records.source import Edit

    expected = edited(CONSTANT, [Edit(**edit) for edit in change["edits"]])
    assert fix(folder, "net.py", "--unsafe-fixes", "-q").returncode == 0
    assert decoded("net.py", (folder / "net.py").read_bytes()) == expected


def test_conflict_markers_are_refused(folder):
    text = CONSTANT + "'''\n<<<<<<< mine\n1\n=======\n2\n>>>>>>> theirs\n'''\n"
    (folder / "net.py").write_text(text, encoding="utf-8")
    done = fix(folder, "net.py", "--unsafe-fixes")
    assert done.returncode == 4 and b"unfinished merge" in done.stderr
    assert (folder / "net.py").read_text(encoding="utf-8") == text


def test_installed_packages_are_not_edited(folder):
    package = folder / "lib" / "site-packages" / "deep"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.body = nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
        "        nn.init.constant_(self.body[0].weight, 0.1)\n\n"
        "    def forward(self, x):\n        return self.body(x)\n",
        encoding="utf-8",
    )
    before = (package / "__init__.py").read_bytes()
    (folder / "use.py").write_text(
        "import sys\n\nsys.path.insert(0, 'lib/site-packages')\nfrom deep import Net\n\nmodel = Net()\n", encoding="utf-8"
    )
    fix(folder, "use.py", "--unsafe-fixes")
    assert (package / "__init__.py").read_bytes() == before


def test_a_file_of_another_project_is_not_edited(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for project in (mine, other):
        project.mkdir()
        (project / "pyproject.toml").write_text("", encoding="utf-8")
    (other / "deep.py").write_text(CONSTANT.replace("model", "net"), encoding="utf-8")
    (mine / "use.py").write_text("import sys\n\nsys.path.insert(0, '../other')\nfrom deep import net\n\nmodel = net\n", encoding="utf-8")
    before = (other / "deep.py").read_bytes()
    fix(mine, "use.py", "--unsafe-fixes")
    assert (other / "deep.py").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--only", "IC999", "net.py"),
        ("-",),
        ("--static", "net.py"),
        ("--where", "nowhere", "net.py"),
        ("--scheme", "lsuv", "net.py"),
        ("--scheme", "kaimin", "net.py"),
        ("-o", "x.pt"),
    ],
)
def test_a_wrong_command_is_told(folder, arguments):
    (folder / "net.py").write_text(DEEP, encoding="utf-8")
    done = fix(folder, *arguments)
    assert done.returncode == 2 and b"error" in done.stderr
    assert (folder / "net.py").read_text(encoding="utf-8") == DEEP


def test_help_and_its_page_need_no_torch(folder):
    code = (
        "import sys; from initcheck.cli import main; main(['fix', '--help']); sys.exit('torch' in sys.modules or 'libcst' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0
    page = subprocess.run([sys.executable, "-m", "initcheck", "rule", "merge-conflict"], cwd=ROOT, capture_output=True, check=False)
    assert b"unfinished merge" in page.stdout


def test_rewriting_needs_no_torch():
    rooms = "import initcheck.fix.source.rewriting, initcheck.fix.writing, initcheck.fix.source.diff, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", rooms], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", ["gpt_style.py", "default_lstm.py", "helper_returns_layer.py"])
def test_a_policy_starts_the_whole_model_and_is_done_the_second_time(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (MODELS / "shapes" / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = by_policy(name, "recommended")
    assert result.written and not result.restored and not result.failed
    assert not [one for one in result.remaining if one.severity != "info"]
    after = (tmp_path / name).read_text(encoding="utf-8")
    assert after != text
    assert not by_policy(name, "recommended").files
    assert (tmp_path / name).read_text(encoding="utf-8") == after


def test_a_policy_leaves_the_lines_of_the_author_without_leave(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(CONSTANT, encoding="utf-8")
    result = by_policy("net.py", "kaiming_normal", unsafe=False)
    after = (tmp_path / "net.py").read_text(encoding="utf-8")
    assert "nn.init.constant_(model[0].weight, 0.1)  # mine" in after and "nn.init.kaiming_normal_(" in after
    assert result.rows and all("0.weight" not in row.parameters for row in result.rows)


def by_policy(name, scheme, **wishes):
    return mend(Order((name,), **({"unsafe": True, "scheme": True} | wishes)), checker(name, settings=Settings(scheme=scheme)))


def test_a_folder_is_fixed_file_by_file(folder):
    (folder / "part").mkdir()
    (folder / "part" / "one.py").write_text(DEEP, encoding="utf-8")
    (folder / "two.py").write_text(DEEP, encoding="utf-8")
    done = fix(folder, ".")
    assert done.returncode == 0, done.stderr
    assert (folder / "part" / "one.py").read_bytes() == (folder / "two.py").read_bytes() != DEEP.encode()


ZERO = """\
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 64, bias=False)
        nn.init.zeros_(self.fc.weight)

    def forward(self, x):
        return self.fc(x).relu()
"""

USER = """\
from torch import nn

from net.blocks import Block

model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), Block(), nn.Linear(64, 10))
"""


@pytest.mark.parametrize("target", ["net/model.py", "net.model:model"])
def test_a_fix_in_another_file_is_trained_before_and_after(folder, target):
    (folder / "net").mkdir()
    (folder / "net" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "net" / "blocks.py").write_text(ZERO, encoding="utf-8")
    (folder / "net" / "model.py").write_text(USER, encoding="utf-8")
    done = fix(folder, target, "--unsafe-fixes", "--verify", "--budget", "20s", "--output-format", "json")
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    (trial,) = found["trials"]
    assert found["written"] and not found["untried"]
    assert trial["comparison"]["verdict"] == "IMPROVED" and trial["comparison"]["difference"] > 10
    assert [one["what"].endswith(", rewritten") for one in trial["variants"]] == [False, True]
    assert "kaiming" in (folder / "net" / "blocks.py").read_text(encoding="utf-8")


def test_what_cannot_be_trained_is_told_and_the_fix_stays(folder):
    (folder / "net.py").write_text(DEEP, encoding="utf-8")
    done = fix(folder, "net.py", "--verify", "--budget", "0.2s")
    said = done.stdout.decode()
    assert done.returncode == 4 and "error over-budget" in said and "Rewrote net.py" in said
    assert "kaiming" in (folder / "net.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("net.py", "--budget", "5s"), "which was not given"),
        (("net.py", "--verify", "--budget", "0"), "budget"),
        (("net.py", "--verify", "--checkpoint", "a.pt", "-o", "b.pt"), "--against pretrained:b.pt"),
    ],
)
def test_trainings_that_make_no_sense_are_refused(folder, arguments, said):
    (folder / "net.py").write_text(DEEP, encoding="utf-8")
    done = fix(folder, *arguments)
    assert done.returncode == 2 and said in done.stderr.decode()
    assert (folder / "net.py").read_text(encoding="utf-8") == DEEP
