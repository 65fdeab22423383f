"""`initcheck run` as a process."""

import json

import pytest

from tests.end_to_end.process import here, run

TRAIN = """\
import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--std", type=float, default=0.3)
args = parser.parse_args()
print("data from", args.data)
model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 4))
for parameter in model.parameters():
    nn.init.zeros_(parameter) if args.std == 0 else None
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(2):
    loss = nn.functional.cross_entropy(model(torch.randn(16, 12)), torch.randint(4, (16,)))
    loss.backward()
    optimizer.step()
open("trained.txt", "w").write("trained")
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def test_a_clean_program(folder):
    code, out, err = run("run", "train.py", "--data", "here", cwd=folder)
    assert code == 0, out + err
    assert "train.py::model" in out and "All clear: 1 model" in out
    assert "│ data from here" in err
    assert [path.name for path in folder.iterdir()] == ["train.py"]


def test_options_before_the_script_are_ours_and_behind_it_the_programs(folder):
    code, out, err = run("run", "-o", "json:out.json", "--output-format", "concise", "train.py", "--data", "-o", "--std", "0", cwd=folder)
    assert code == 4, out + err  # argparse takes `-o` for an option
    code, out, err = run("run", "-o", "json:out.json", "train.py", "--data=-o", "--std", "0", cwd=folder)
    assert code == 1, out + err
    flat = " ".join(out.split())
    assert "from line 11 `nn.Sequential(" in flat and "ran until the first backward pass (train.py:17)" in flat
    assert "float32[16,12] first batch of train.py" in flat
    report = json.loads((folder / "out.json").read_text())
    assert report["models"][0]["target"]["kind"] == "program"
    assert not (folder / "trained.txt").exists()


def test_a_missing_option_of_the_program(folder):
    code, out, _ = run("run", "train.py", cwd=folder)
    assert code == 4
    assert "train.py does not accept its command line: the following arguments are required: --data" in " ".join(out.split())
    assert "initcheck run train.py --data DATA" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "missing.py"], 4, "cannot find missing.py"),
        (["run", "python", "train.py", "--data", "x"], 4, "initcheck run train.py --data x"),
        (["run", "train.py::model"], 4, "initcheck run train.py, or initcheck check train.py::model"),
        (["run", "--std", "1", "train.py"], 2, "No such option"),
        (["run", "--static", "train.py"], 2, "--loader and --static have no meaning here"),
        (["run"], 2, "Missing argument 'SCRIPT'"),
        (["run", "."], 4, "name the file in it that trains"),
    ],
)
def test_a_command_line_that_cannot_be_meant(folder, arguments, code, said):
    got, _, err = here(*arguments, cwd=folder)
    assert got == code
    assert said in err


def test_a_program_without_a_model(tmp_path):
    (tmp_path / "hello.py").write_text("print('hello')\n")
    code, _, err = run("run", "hello.py", cwd=tmp_path)
    assert code == 5
    assert "hello.py ended without having built a model" in err
