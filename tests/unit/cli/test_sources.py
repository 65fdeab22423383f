"""Checks by reading alone: `--static`, the last resort, and the exit codes of both."""

import json

import pytest

from initcheck.cli import main
from initcheck.cli.sources import supplemented, whole
from initcheck.discover.targets import parse
from initcheck.records.finding import Failure
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings

FAULTY = (
    "from torch import nn\n\nmodel = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))\nnn.init.xavier_uniform_(model[0].weight)\n"
)
CLEAN = FAULTY.replace("xavier_uniform_", "kaiming_uniform_")
NEEDS = (
    "from torch import nn\nimport torch\n\n\nclass Net(nn.Module):\n    def __init__(self, options):\n        super().__init__()\n"
    "        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, options.size)\n        nn.init.xavier_uniform_(self.a.weight)\n\n"
    "    def forward(self, x):\n        return self.b(torch.relu(self.a(x)))\n"
)
UNREADABLE = "import torch\nfrom elsewhere import build\nmodel = build()\nmodel.parameters()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("faulty", FAULTY), ("clean", CLEAN), ("needs", NEEDS), ("unreadable", UNREADABLE), ("plain", "x = 1\n")):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clean.py", "--static"], 0),
        (["faulty.py", "--static"], 1),
        (["faulty.py", "--loader", "static"], 1),
        (["faulty.py", "--static", "--exit-zero"], 0),
        (["needs.py", "--static"], 1),
        (["unreadable.py", "--static"], 4),
        (["unreadable.py", "--static", "--allow-empty"], 0),
        (["plain.py", "--static", "--allow-empty"], 0),
        (["plain.py", "--static"], 5),
        (["missing.py", "--static"], 4),
        (["clean.py", "--loader", "statc"], 2),
    ],
)
def test_exit_codes(folder, arguments, code):
    assert main(arguments) == code


def test_the_text_says_that_only_the_source_was_looked_at(folder, capsys):
    main(["clean.py", "--static"])
    said = capsys.readouterr().out
    assert "read from the source; nothing was executed" in said
    assert "All clear" not in said
    assert "Source only: 1 model read, nothing executed." in said
    assert "rules need the built model" in said
    main(["clean.py", "--static", "--output-format", "concise"])
    assert capsys.readouterr().out == ""


def test_the_report_as_data(folder, capsys):
    main(["faulty.py", "--static", "--output-format", "json"])
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert model["built"]["source_only"] is True
    assert model["input"] is None
    assert [finding["code"] for finding in model["findings"]] == ["IC201"]


def test_a_target_that_cannot_be_built_is_read(folder):
    (target,) = parse("faulty.py")
    failed = ModelReport(target, failures=(Failure("load", "faulty.py", "broken", "", "build-failed"),))
    found = supplemented(failed, Settings())
    assert [finding.code for finding in found.findings] == ["IC201"]
    assert found.failures == failed.failures
    assert found.built is not None and found.built.source_only
    assert supplemented(failed, Settings(loader="slice")) is failed


def test_what_was_judged_already_or_cannot_be_read_stays(folder):
    (target,), (other,) = parse("faulty.py"), parse("unreadable.py")
    judged = ModelReport(target, failures=(Failure("forward", "", "broken"),), checked=("IC201",))
    assert supplemented(judged, Settings()) is judged
    forward = ModelReport(target, failures=(Failure("forward", "", "broken"),))
    assert supplemented(forward, Settings()) is forward
    opaque = ModelReport(other, failures=(Failure("load", "", "broken", "", "build-failed"),))
    found = supplemented(opaque, Settings())
    assert found.failures == opaque.failures
    assert not found.checked
    assert "the source alone does not say" in found.skips[0].reason


def test_a_bug_of_the_reader_is_told_and_hides_nothing(folder, monkeypatch):
    import initcheck.source_only as module

    def broken(target):
        raise KeyError(target.spec)

    monkeypatch.setattr(module, "read", broken)
    assert main(["clean.py", "--static"]) == 3
    (target,) = parse("clean.py")
    failed = ModelReport(target, failures=(Failure("load", "clean.py", "broken", "", "build-failed"),))
    found = supplemented(failed, Settings())
    assert found.failures == failed.failures
    assert "KeyError" in found.skips[0].reason


def test_a_class_without_its_arguments_is_read_and_the_failure_stays(folder):
    (target,) = parse("needs.py")
    failure = Failure("load", "needs.py", "nothing tells options", "", "needs-args")
    found = supplemented(ModelReport(target, failures=(failure,)), Settings())
    assert found.failures == (failure,)
    assert [finding.code for finding in found.findings] == ["IC201"]
    assert found.parameters == 0


def test_the_loader_import_keeps_the_whole_file(folder):
    (target,) = parse("faulty.py")
    everything = whole(target).recipe
    assert everything.keep == (0, 1, 2)
    assert everything.skipped == ()
