"""Programs that do not come to a training step."""

import sys

import pytest

from initcheck.errors import NothingToCheck, TargetError
from tests.unit.construct.program.programs import LOOP, PLAIN, names, program, run


def test_a_recurrent_loop_without_an_optimizer(tmp_path):
    text = """
class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.step, self.out = nn.Linear(10, 4), nn.Linear(4, 3)

    def forward(self, x, hidden):
        hidden = torch.tanh(self.step(torch.cat((x, hidden), 1)))
        return self.out(hidden), hidden

rnn, hidden = Cell(), torch.zeros(1, 4)
for x in torch.randn(5, 1, 6):
    output, hidden = rnn(x, hidden)
F.cross_entropy(output, torch.tensor([1])).backward()
for parameter in rnn.parameters():
    parameter.data.add_(parameter.grad, alpha=-0.1)
"""
    (report,) = run(program(tmp_path, text))
    assert names([report]) == ["rnn"]
    assert report.input.text == "float32[1,6], float32[1,4]"
    assert not report.failures


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("open('data/missing.csv')", "program-failed", r"train.py:2: FileNotFoundError: .*missing.csv"),
        ("import surely_not_there", "missing-import", r"train.py:2 imports surely_not_there, which is not installed"),
        ("import data_utils", "missing-import", r"train.py:2 imports data_utils, which is not there"),
        ("x = (", "program-failed", r"train.py:2: SyntaxError"),
        ("input('go on?')", "program-failed", r"train.py:2 waits for input"),
        ("import os; os.environ['LOCAL_RANK']", "program-failed", r"LOCAL_RANK from the environment, as torchrun sets it"),
        ("import sys; sys.exit(3)", "exits", r"train.py:2 calls sys.exit\(3\)"),
    ],
)
def test_a_program_that_fails(tmp_path, text, name, wanted):
    with pytest.raises(TargetError, match=wanted) as error:
        run(program(tmp_path, f"import torch\n{text}\n", before=""))
    assert error.value.name == name
    assert error.value.hint


def test_a_failure_in_another_file_names_its_line(tmp_path):
    program(tmp_path, "def load():\n    raise ValueError('no data')\n", "reading.py", before="")
    with pytest.raises(TargetError, match=r"reading.py:2: ValueError: no data"):
        run(program(tmp_path, "import reading\nreading.load()\n", before=""))
    del sys.modules["reading"]


def test_a_program_without_a_step(tmp_path):
    (report,) = run(program(tmp_path, "\ndef main():\n    net = Net(9)\n    print(net.first.weight.shape)\n\nmain()\n"))
    assert names([report]) == ["net"]
    assert report.built.stopped == "the program ended before a training step"
    assert report.input.origin.startswith("inferred")
    assert not report.failures


@pytest.mark.parametrize("text", ["print('hello')", "import sys\nsys.exit()", "import torch\nx = torch.nn.ReLU()"])
def test_a_program_without_a_model(tmp_path, text):
    with pytest.raises(NothingToCheck, match="ended .*without having built a model"):
        run(program(tmp_path, text, before=""))


def test_a_name_for_own_files_is_not_looked_for_in_the_index(tmp_path):
    with pytest.raises(TargetError) as error:
        run(program(tmp_path, "from data_utils import load\n", before=""))
    assert error.value.hint == "run it from the project that data_utils.py belongs to, or with PYTHONPATH=FOLDER"


CLICK = """
import click

@click.group()
def cli():
    pass

@cli.command()
@click.argument("data")
@click.option("--width", type=int, required=True)
def train(data, width):
    model = Net(width)
    F.cross_entropy(model(torch.randn(8, 6)), torch.randint(3, (8,))).backward()

if __name__ == "__main__":
    cli()
"""


def test_a_program_with_commands(tmp_path):
    path = program(tmp_path, CLICK, "with space.py")
    with pytest.raises(TargetError, match="does not accept its command line: Missing argument 'DATA'") as error:
        run(path, "train")
    assert error.value.hint == f"initcheck run '{path}' train DATA"
    with pytest.raises(TargetError, match="Missing option '--width'") as error:
        run(path, "train", "here")
    assert error.value.hint == f"initcheck run '{path}' train here --width WIDTH"
    with pytest.raises(TargetError, match="No such option"):
        run(path, "train", "--size", "3")
    (report,) = run(path, "train", "here", "--width", "5")
    assert (report.target.spec, report.built.expression) == (f"{path}::model", "Net(width)")


def test_a_loop_that_catches_everything_is_left_at_once(tmp_path, capfd):
    text = """
model = Net()
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(5000):
    try:
        x, y = batch()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    except:
        print("caught", epoch)
print("the program went on")
"""
    (report,) = run(program(tmp_path, text))
    assert report.built.stopped.startswith("ran until the first backward pass")
    said = "".join(capfd.readouterr())
    assert "caught 0" in said and "caught 2" not in said and "went on" not in said


def test_a_program_that_only_calls_its_model_is_stopped_in_time(tmp_path):
    text = """
import time
model = Net()
with torch.no_grad():
    for _ in range(1000):
        model(batch()[0])
        time.sleep(0.1)
"""
    path = program(tmp_path, text)
    (report,) = run(path, timeout=1.0)
    line = len(path.read_text().splitlines()) - 1
    assert report.built.stopped == f"ran until the first call after 0.75 s without a training step ({path}:{line})"
    assert (report.input.text, names([report])) == ("float32[8,6]", ["model"])


def test_a_program_that_catches_everything(tmp_path, capfd):
    caught = LOOP.replace(
        "    loss.backward()\n    optimizer.step()\n", "    try:\n        loss.backward()\n    except:\n        continue\n"
    )
    (report,) = run(program(tmp_path, PLAIN.replace(LOOP, caught)))
    assert report.built.stopped.startswith("ran until the first backward pass")
    assert "a step was made" not in "".join(capfd.readouterr())
