"""The seat belt around user code: what it refuses, that it says where, and that it leaves nothing behind."""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
from contextlib import nullcontext

import pytest
import torch
from torch import nn

import initcheck
from initcheck.construct.builder import construct
from initcheck.construct.guard import Refused, guarded
from initcheck.construct.recording.recorder import Recorder
from initcheck.discover import targets
from initcheck.errors import TargetError

NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def build(body, watch=None):
        """The file's line 4 is the first of `body`, inside a constructor function."""
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        path = tmp_path / "model.py"
        path.write_text("import torch\nfrom torch import nn\ndef initcheck_model():\n" + lines)
        (target,) = targets.parse("model.py")
        return construct(target, watch or nullcontext())

    return build


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "network"),
        ("import urllib.request; urllib.request.urlopen('http://localhost:9/')", "network address"),
        ("import subprocess; subprocess.run(['true'])", "starts a program"),
        ("import os; os.system('true')", "starts a program"),
        ("open('out.txt', 'w')", "writes out.txt"),
        ("import pathlib; pathlib.Path('out.txt').write_text('x')", "writes out.txt"),
        ("import os; os.remove('model.py')", "deletes a file"),
        ("import os; os.makedirs('runs')", "creates a folder"),
        ("torch.save({}, 'out.pt')", "torch.save"),
        ("input('width? ')", "stdin"),
        ("open(0).read()", "opens the file descriptor 0"),
        ("import sys; sys.stdin.read()", "stdin"),
    ],
)
def test_refused_with_the_line_of_the_user(build, tmp_path, deed, words):
    with pytest.raises(Refused) as caught:
        build(f"width = 3\n{deed}\nreturn nn.Linear(2, width)")
    assert words in caught.value.message
    assert "model.py:5 " in caught.value.message
    assert "initcheck_model" in caught.value.hint
    assert isinstance(caught.value, TargetError)
    assert sorted(os.listdir(tmp_path)) == ["model.py"]


def test_a_library_that_only_tries_goes_on(build):
    made = build("try:\n    open('cache.json', 'w')\nexcept OSError:\n    pass\nreturn nn.Linear(2, 3)")
    assert made.model.out_features == 3


def test_temporary_folders_may_be_written(build):
    body = "import tempfile, os\nwith tempfile.TemporaryDirectory() as folder:\n    open(os.path.join(folder, 'a'), 'w').close()\nreturn nn.Linear(2, 3)"
    assert build(body).model.out_features == 3


def test_reading_is_free(build, tmp_path):
    (tmp_path / "width.txt").write_text("6")
    assert build("with open('width.txt') as file:\n    return nn.Linear(2, int(file.read()))").model.out_features == 6


def test_everything_is_as_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    before = (sys.argv, sys.stdin, sys.stdout, list(sys.path), torch.save, torch.Tensor.to, torch.set_default_device, os.getcwd())
    folder = tmp_path / "deep"
    folder.mkdir()
    with pytest.raises(ValueError), guarded(str(folder / "model.py")):
        assert sys.argv == [str(folder / "model.py")]
        assert str(folder) in sys.path
        assert os.environ["MPLBACKEND"] == "agg"
        assert sys.stdout is sys.stderr
        raise ValueError
    assert (sys.argv, sys.stdin, sys.stdout, list(sys.path), torch.save, torch.Tensor.to, torch.set_default_device, os.getcwd()) == before
    assert "MPLBACKEND" not in os.environ
    pathlib.Path("free.txt").write_text("written")
    subprocess.run(["true"], check=True)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        socket.create_connection(server.getsockname()).close()
    torch.save({}, tmp_path / "a.pt")


def test_prints_go_to_stderr(build, capsys):
    build("print('hello')\nreturn nn.Linear(2, 3)")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_temporary_file_of_the_project_is_the_project(build):
    assert tempfile.gettempdir()
    with pytest.raises(Refused):
        build("import os\nopen(os.path.abspath('out.txt'), 'w')\nreturn nn.Linear(2, 3)")


@NO_CUDA
@pytest.mark.parametrize(
    "expression",
    [
        "nn.Linear(4, 4).cuda()",
        "nn.Linear(4, 4).cuda(0)",
        "nn.Linear(4, 4).to('cuda')",
        "nn.Linear(4, 4).to(torch.device('cuda:0'))",
        "nn.Linear(4, 4).to(device='cuda', dtype=torch.float64)",
        "nn.Linear(4, 4, device='cuda')",
        "nn.Linear(4, 4, device=torch.device('cuda', 0))",
        "nn.Sequential(nn.LSTM(2, 3, device='cuda'), nn.Embedding(4, 2, device='cuda'))",
    ],
)
def test_cuda_without_a_gpu_builds_on_cpu_with_a_note(build, expression):
    made = build(f"return {expression}")
    assert {parameter.device.type for parameter in made.model.parameters()} == {"cpu"}
    (note,) = made.built.notes
    assert "line 4 asks for cuda; built on cpu" in note


@NO_CUDA
@pytest.mark.parametrize(
    "setting", ["with torch.device('cuda'):", "torch.set_default_device('cuda')\nif True:", "torch.cuda.set_device(0)\nif True:"]
)
def test_a_default_device_is_the_cpu_too(build, setting):
    made = build(f"{setting}\n    return nn.Linear(4, 4)")
    assert made.model.weight.device.type == "cpu"
    assert len(made.built.notes) == 1


@NO_CUDA
def test_tensors_of_the_user_stay_too(build):
    made = build("net = nn.Linear(2, 2)\nnet.weight.data = torch.eye(2, device='cuda').cuda().to('cuda')\nreturn net")
    assert torch.equal(made.model.weight, torch.eye(2))


def test_no_note_without_a_request(build):
    assert build("return nn.Linear(4, 4).to('cpu').to(torch.float64)").built.notes == ()


@pytest.mark.parametrize("request_", ["", ", device='cuda'"])
def test_the_recorder_still_sees_the_line(build, request_):
    if request_ and torch.cuda.is_available():
        pytest.skip("builds on the GPU here")
    recorder = Recorder()
    made = build(f"net = nn.Linear(4, 4{request_})\nnn.init.orthogonal_(net.weight)\nreturn net.to(torch.float32)", recorder)
    weight = next(record for record in recorder.resolve(made.model).parameters if record.name == "weight")
    (write,) = weight.writes
    assert write.call.get().name == "orthogonal_"
    assert write.location.get().line == 5
    bias = next(record for record in recorder.resolve(made.model).parameters if record.name == "bias")
    assert bias.writes[-1].origin == "framework default"
    assert bias.writes[-1].location.get().line == 4


def test_a_refusal_is_an_error_with_a_hint():
    assert Refused("message", "hint").hint == "hint"
    assert str(Refused("message", "hint")) == "message"


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("import os; os.kill(os.getppid(), 0)", "ends another process"),
        ("import os; os.killpg(os.getpgrp(), 0)", "ends other processes"),
        ("import os; os.chmod('model.py', 0)", "changes a file"),
        ("import os; os.rename(__file__, 'other.py')", "renames a file"),
        ("import shutil; shutil.rmtree('.')", "deletes a folder"),
        ("import sqlite3; sqlite3.connect('data.db')", "opens a database"),
        ("import ctypes; ctypes.CDLL(None).unlink", "calls unlink of the system"),
        ("import warnings; warnings.simplefilter('ignore'); torch.jit.script(nn.Linear(2, 2)).save('out.pt')", "scripted module"),
    ],
)
def test_ways_around_the_front_door_are_refused_too(build, tmp_path, deed, words):
    with pytest.raises(Refused, match=words):
        build(f"{deed}\nreturn nn.Linear(2, 3)")
    assert sorted(os.listdir(tmp_path)) == ["model.py"]


def test_trust_lifts_the_refusals(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notes = []
    with guarded(str(tmp_path / "model.py"), notes.append, trust=True):
        pathlib.Path("out.txt").write_text("written")
        with guarded(str(tmp_path / "model.py")):
            pathlib.Path("again.txt").write_text("written")
        os.remove("out.txt")
    assert os.listdir(tmp_path) == ["again.txt"]
    assert "--trust" in notes[0]
    with pytest.raises(Refused), guarded(str(tmp_path / "model.py")):
        pathlib.Path("out.txt").write_text("written")


def test_pickled_objects_are_opened_on_request_only(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pt")
    with pytest.raises(Refused) as caught, guarded(str(tmp_path / "model.py")):
        torch.load(tmp_path / "whole.pt")
    assert caught.value.name == "unsafe-pickle"
    assert "--trust-pickle" in caught.value.hint
    with guarded(str(tmp_path / "model.py"), trust_pickle=True):
        assert torch.load(tmp_path / "whole.pt").out_features == 2


def test_the_working_folder_is_as_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    with guarded(str(tmp_path / "model.py")):
        os.chdir("deep")
    assert os.getcwd() == str(tmp_path)


def test_the_measured_forward_pass_is_guarded_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body = "    def forward(self, x):\n        open('out.txt', 'w').close()\n        return super().forward(x)\n"
    (tmp_path / "model.py").write_text(
        f"from torch import nn\nclass Net(nn.Linear):\n    def __init__(self):\n        super().__init__(3, 2)\n{body}"
    )
    (report,) = initcheck.check("model.py").models
    assert [failure.name for failure in report.failures] == ["refused"]
    assert os.listdir(tmp_path) == ["model.py"]
