"""`initcheck load` as a process: what it prints, what it writes, and how it ends."""

import json
import struct

import pytest
import torch
from torch import nn

from tests.end_to_end.process import run

NET = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.head = nn.Linear(32, classes)

    def forward(self, x):
        return self.head(self.body(x))


model = Net()
"""


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.head = nn.Linear(32, classes)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "net.py").write_text(NET)
    torch.manual_seed(0)
    torch.save(Net(1000).state_dict(), tmp_path / "big.pt")
    torch.save(Net().state_dict(), tmp_path / "net.pt")
    return tmp_path


def test_a_whole_load_is_written(project):
    code, out, err = run("load", "net.py::model", "--from", "net.pt", "-o", "filled.pt", cwd=project)
    assert (code, err) == (0, "")
    assert "LOADED" in out and "6 tensors are in the model bit for bit" in out and "Wrote filled.pt." in out
    filled, stored = torch.load(project / "filled.pt"), torch.load(project / "net.pt")
    assert all(torch.equal(filled[name], stored[name]) for name in stored)
    assert not [path.name for path in project.iterdir() if path.name.startswith(".filled")]


def test_another_head_is_told_with_its_share(project):
    code, out, _ = run("load", "net.py::Net", "--from", "big.pt", cwd=project)
    assert code == 0
    assert "1,000 classes in the file, 10 in the model" in out and "17.1 % of the parameters stay" in out and "IC905" in out
    assert run("load", "net.py::Net", "--from", "big.pt", "--strict", "-o", "out.pt", cwd=project)[0] == 1
    assert not (project / "out.pt").exists()


def test_nothing_fits_and_nothing_is_written(project):
    torch.save({"x.weight": torch.ones(2, 2), "y.weight": torch.ones(3, 3)}, project / "other.pt")
    code, out, _ = run("load", "net.py::Net", "--from", "other.pt", "-o", "out.safetensors", cwd=project)
    assert code == 1 and "IC901 loaded-nothing" in out and "Nothing was written" in out
    assert not list(project.glob("*out*"))


def test_a_rename_is_offered_and_taken(project):
    torch.save({name.replace("head", "classifier"): value for name, value in Net().state_dict().items()}, project / "renamed.pt")
    code, out, _ = run("load", "net.py::Net", "--from", "renamed.pt", cwd=project)
    assert code == 0 and "--rename classifier=head" in out
    code, out, _ = run("load", "net.py::Net", "--from", "renamed.pt", "--rename", "classifier=head", "--strict", cwd=project)
    assert code == 0 and "MISSING" not in out


def test_json(project):
    code, out, _ = run("load", "net.py::Net", "--from", "net.pt", "--output-format", "json", cwd=project)
    found = json.loads(out)
    assert code == 0 and {one["state"] for one in found["arrival"]["tensors"]} == {"loaded"} and found["model"]["model"] == "Net"


def test_the_same_bytes_twice_and_narrow_terminals(project):
    first = run("load", "net.py::Net", "--from", "big.pt", "-v", cwd=project)
    assert first == run("load", "net.py::Net", "--from", "big.pt", "-v", cwd=project)
    _, out, _ = run("load", "net.py::Net", "--from", "big.pt", cwd=project, COLUMNS="60", PYTHONIOENCODING="ascii", encoding="ascii")
    assert all(len(line) <= 60 for line in out.splitlines()) and out.isascii()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("net.py::Net", "--from", "none.pt"), 4, "cannot find none.pt"),
        (("net.py::Net", "--from", "torchvision:resnet18"), 4, "initcheck works offline"),
        (("net.py::Net", "--from", "net.pt", "-o", "no/out.pt"), 2, "cannot write no/out.pt"),
        (("net.py::Net", "--from", "net.pt", "-o", "out.txt"), 2, "cannot tell how to write"),
        (("net.py::Net", "--from", "net.pt", "--rename", "head"), 2, "OLD=NEW"),
        (("net.py::Nte", "--from", "net.pt"), 4, "did you mean net.py::Net?"),
        (("net.pt", "--from", "net.pt"), 2, "is not a model"),
        (("net.py::Net", "--from", "net.pt", "--static"), 2, "has to be built"),
        (("net.py::Net",), 2, "--from"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(project, arguments, code, words):
    if "torchvision:resnet18" in arguments:
        pytest.importorskip("torchvision")
    found, out, err = run("load", *arguments, cwd=project)
    assert found == code and words in out + err and "Traceback" not in out + err
    assert sorted(path.name for path in project.iterdir() if path.name != ".initcheck_cache") == ["big.pt", "net.pt", "net.py"]


class Hostile:
    def __reduce__(self):
        return (exec, ("open('executed', 'w').close()",))


def test_hostile_and_broken_files_leave_nothing_behind(project):
    torch.save({"weight": torch.ones(2), "run": Hostile()}, project / "hostile.pt")
    (project / "empty.pt").write_bytes(b"")
    (project / "cut.pt").write_bytes((project / "net.pt").read_bytes()[:-300])
    (project / "huge.safetensors").write_bytes(struct.pack("<Q", 1 << 50) + b"{" + b" " * 600)
    for name, page in (("hostile.pt", "unsafe-pickle"), ("empty.pt", "damaged"), ("cut.pt", "damaged"), ("huge.safetensors", "damaged")):
        code, out, err = run("load", "net.py::Net", "--from", name, "-o", "out.pt", cwd=project)
        assert code == 4 and f"error {page}" in out and "Traceback" not in out + err
        assert len([line for line in out.splitlines() if line.startswith("error")]) == 1
    assert not (project / "executed").exists() and not list(project.glob("*out*"))


def test_a_target_cannot_write_beside_the_file_that_it_fills(project):
    (project / "net.py").write_text(NET + "\nopen('elsewhere', 'w').close()\n")
    run("load", "net.py", "--from", "net.pt", "-o", "out.pt", "--loader", "import", cwd=project)
    assert not (project / "elsewhere").exists()


def test_the_model_is_trained_without_the_weights_and_with_them(project):
    (project / "net.py").write_text(NET.replace("model = Net()", "model = Net()\nfor one in model.parameters():\n    nn.init.zeros_(one)"))
    command = ("load", "net.py::model", "--from", "net.pt", "--verify", "--budget", "20s")
    code, out, err = run(*command, "-o", "filled.pt", cwd=project)
    assert (code, err) == (0, "")
    assert "Trained without the stored weights and with them:" in out and "IMPROVED by" in out and "Wrote filled.pt." in out
    assert "after: 6 tensors loaded from net.pt; 0.0 % of the parameters stay random" in out
    torch.save({name: torch.zeros_like(value) for name, value in Net().state_dict().items()}, project / "zero.pt")
    (project / "net.py").write_text(NET)
    code, out, _ = run("load", "net.py::model", "--from", "zero.pt", *command[4:], "--output-format", "json", cwd=project)
    assert code == 1 and json.loads(out)["trial"]["comparison"]["verdict"] == "WORSE"


def test_what_stays_random_is_drawn_for_the_trainings_too(project):
    torch.save({name: value for name, value in Net().state_dict().items() if "head" not in name}, project / "body.pt")
    more = ("--fix-missing", "--verify", "--budget", "20s", "--output-format", "json")
    code, out, err = run("load", "net.py::model", "--from", "body.pt", *more, cwd=project)
    assert (code, err) == (0, "") and "4 tensors loaded" in json.loads(out)["trial"]["variants"][1]["notes"][0]


def test_trainings_that_cannot_be_are_told(project):
    code, out, _ = run("load", "net.py::model", "--from", "net.pt", "--verify", "--budget", "0.2s", cwd=project)
    assert code == 4 and "error over-budget" in out and "6 tensors are in the model" in out
