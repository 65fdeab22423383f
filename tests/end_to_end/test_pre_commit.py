"""The shipped hook, run by the real pre-commit on a scratch repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("pre_commit", reason="pre-commit is not installed")

MODEL = "from torch import nn\n\nmodel = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))\nnn.init.{}(model[0].weight)\n"


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(params=["initcheck", "initcheck-static"])
def repository(tmp_path, monkeypatch, request):
    hooks, work = tmp_path / "hooks", tmp_path / "work"
    for folder in (hooks, work):
        folder.mkdir()
        git(folder, "init", "-q")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    git(hooks, "add", ".")
    git(hooks, "commit", "-qm", "hooks")
    revision = git(hooks, "rev-parse", "HEAD")
    (work / ".pre-commit-config.yaml").write_text(f"repos:\n- repo: file://{hooks}\n  rev: {revision}\n  hooks:\n  - id: {request.param}\n")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{__import__('os').environ['PATH']}")
    return work


def run_hook(work):
    git(work, "add", ".")
    return subprocess.run([sys.executable, "-m", "pre_commit", "run", "--all-files"], cwd=work, capture_output=True, text=True, check=False)


def test_a_faulty_model_fails_the_commit(repository):
    (repository / "net.py").write_text(MODEL.format("xavier_uniform_"))
    done = run_hook(repository)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "scheme-nonlinearity-mismatch" in done.stdout
    assert "net.py:4" in done.stdout


def test_a_healthy_model_and_a_file_without_one_pass(repository):
    (repository / "net.py").write_text(MODEL.format("kaiming_uniform_"))
    (repository / "plain.py").write_text("print('no model here')\n")
    done = run_hook(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
