"""What a folder offers: files that git knows, notebooks, else weights; one bad file does not hide the others."""

import shutil
import subprocess

import pytest

from initcheck.discover import files, targets
from initcheck.errors import NothingToCheck
from tests.unit.source.books import notebook

NET = (
    "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(2, 3)\n"
)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, data=NET):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    return write


def git(*words):
    subprocess.run(["git", *words], check=True, capture_output=True)


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


def specs(folder):
    return [target.spec for target in targets.expand(folder)[0]]


def test_files_and_notebooks_of_a_folder(tree):
    for name in ("proj/a.py", "proj/sub/b.py", "proj/.hidden/c.py", "proj/build/d.py", "proj/own/pyvenv.cfg", "proj/own/lib/e.py"):
        tree(name)
    tree("proj/f.ipynb", notebook(NET))
    tree("proj/g.py", "import os\n")
    assert specs("proj") == ["proj/a.py::Net", "proj/f.ipynb::Net", "proj/sub/b.py::Net"]


@needs_git
def test_what_git_ignores_is_left_out(tree):
    for name in ("a.py", "made/b.py", "build/c.py", "new/d.py"):
        tree(name)
    tree(".gitignore", "made/\n")
    git("init", "-q", ".")
    git("add", "a.py", "build/c.py", "-f")
    assert files.python_files(".") == ("./a.py", "./new/d.py")
    assert files.python_files("new") == ("new/d.py",)


@needs_git
def test_an_ignored_folder_that_is_named_is_meant(tree):
    tree("made/b.py")
    tree(".gitignore", "made/\n")
    git("init", "-q", ".")
    assert files.python_files("made") == ("made/b.py",)


@needs_git
def test_a_deleted_file_that_git_still_tracks_is_no_problem(tree, tmp_path):
    tree("a.py")
    tree("b.py")
    git("init", "-q", ".")
    git("add", ".")
    (tmp_path / "a.py").unlink()
    assert specs(".") == ["./b.py::Net"]


@needs_git
def test_no_program_of_the_repository_is_started(tree, tmp_path):
    tree("a.py")
    git("init", "-q", ".")
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git("config", "core.fsmonitor", str(hook))
    assert files.python_files(".") == ("./a.py",)
    assert not (tmp_path / "ran").exists()


def test_each_problem_is_told_once_and_hides_nothing(tree):
    tree("proj/a.py")
    tree("proj/bad.py", "import torch\nx = = 1\n")
    tree("proj/bad.ipynb", b"{")
    found, problems = targets.expand("proj")
    assert [target.spec for target in found] == ["proj/a.py::Net"]
    assert sorted(problem.name for problem in problems) == ["not-python", "syntax-error"]


def test_a_folder_of_weights(tree):
    tree("saved/model-00001-of-00002.safetensors", b"")
    tree("saved/model-00002-of-00002.safetensors", b"")
    tree("saved/model.safetensors.index.json", b"{}")
    tree("saved/pytorch_model.bin", b"")
    assert [(t.spec, t.kind) for t in targets.parse("saved/")] == [("saved/model.safetensors.index.json", "weights")]
    tree("runs/a.pt", b"")
    tree("runs/b.ckpt", b"")
    assert specs("runs") == ["runs/a.pt", "runs/b.ckpt"]


def test_a_folder_with_a_configuration_alone(tree):
    tree("saved/config.json", b"{}")
    (problem,) = targets.expand("saved")[1]
    assert problem.hint == "initcheck hf:saved"


def test_an_empty_folder(tree, tmp_path):
    (tmp_path / "empty").mkdir()
    (problem,) = targets.expand("empty")[1]
    assert isinstance(problem, NothingToCheck)
