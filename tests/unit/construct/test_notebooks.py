"""Notebooks and handed-over sources from end to end: built, judged, and every place named by its cell."""

import pytest

import initcheck
from initcheck.discover import targets
from initcheck.errors import TargetError
from initcheck.records.source import Location
from initcheck.report import concise, terminal
from initcheck.source.reading import hand_over, shown_lines
from tests.unit.source.books import notebook

CLASS = """import torch
%matplotlib inline
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16, 32)
        self.head = nn.Linear(32, 4)
        nn.init.constant_(self.body.weight, 0.1)
        nn.init.zeros_(self.head.weight)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))
"""
TRAINING = "net = Net()\n!ls\nnn.init.zeros_(net.body.weight)\n"


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(*cells):
        (tmp_path / "nb.ipynb").write_bytes(notebook(*cells))
        return "nb.ipynb"

    return write


def test_findings_name_the_cell_and_its_line(book):
    report = initcheck.check(book(("# Title",), "!pip install torch", CLASS))
    found = {finding.code: finding for finding in report.findings}
    assert found["IC302"].location.path == "nb.ipynb:cell 3"
    assert found["IC302"].location.line == 10
    shown = terminal.render(report, color=False, ascii_only=False, width=100)
    assert "--> nb.ipynb:cell 3:10:9" in shown
    assert "10 |         nn.init.constant_(self.body.weight, 0.1)\n" in shown
    assert "nb.ipynb:cell 3:10:9: error IC302" in concise.render(report, color=False, ascii_only=False)


def test_a_statement_outside_of_the_class_is_in_its_own_cell(book):
    (model,) = initcheck.check(book(CLASS, ("prose",), TRAINING)).models
    record = model.recording.parameter("body.weight")
    assert record.ruling().location.get() == Location("nb.ipynb:cell 3", 3, 1, 32, "<module>")
    assert model.built.location.path == "nb.ipynb:cell 3"
    assert model.built.location.line == 1


def test_a_failure_names_the_cell(book):
    path = book(
        "import torch\nfrom torch import nn", CLASS.replace("self.body = nn.Linear(16, 32)", "self.body = nn.Linear(16, self.width)")
    )
    with pytest.raises(TargetError) as caught:
        initcheck.check(path)
    assert "nb.ipynb:cell 2:8" in caught.value.message
    assert "nb.ipynb:8" not in caught.value.message and "nb.ipynb:10" not in caught.value.message


def test_a_broken_cell_is_told(book):
    report = initcheck.check(book(CLASS, "x = = 1"))
    assert "cell 2 was left out: line 1: invalid syntax" in report.models[0].built.notes


def test_a_notebook_without_a_model_names_its_broken_cells(book):
    _, (problem,) = targets.expand(book("import torch", "class Net(nn.Module:\n    pass"))
    assert "no model in nb.ipynb; cell 2 was left out" in problem.message


def test_the_lines_of_a_cell_are_shown_as_written(book):
    book("%matplotlib inline\nx = 1")
    assert shown_lines("nb.ipynb:cell 1") == ["%matplotlib inline", "x = 1"]
    assert shown_lines("nb.ipynb:cell 7") == []


def test_a_named_class_of_a_notebook(book):
    (target,) = targets.parse(f"{book(CLASS)}::Net")
    assert (target.spec, target.kind) == ("nb.ipynb::Net", "class")


def test_a_source_that_is_in_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.py").write_text("from torch import nn\n\n\ndef block():\n    return nn.Linear(16, 16)\n")
    source = CLASS.replace("%matplotlib inline", "from blocks import block").replace(
        "nn.Linear(16, 32)", "nn.Sequential(block(), nn.Linear(16, 32))"
    )
    hand_over("unsaved.py", source.replace("self.body.weight", "self.body[1].weight").encode())
    (target,) = targets.parse("unsaved.py")
    assert "from blocks" in target.source
    report = initcheck.check("unsaved.py")
    location = next(finding.location for finding in report.findings if finding.code == "IC302")
    assert (location.path, location.line) == ("unsaved.py", 10)
    assert "constant_(self.body[1].weight, 0.1)" in terminal.render(report, color=False, ascii_only=False, width=100)
