"""`initcheck verify` as a process: variants, files, exit codes and bad input."""

import json
import subprocess

import numpy as np
import pytest

from initcheck.discover.revisions import older
from initcheck.errors import TargetError
from initcheck.verify.data import sets
from initcheck.verify.data.idx import packed
from tests.end_to_end.process import run

NET = """\
from torch import nn

model = nn.Sequential(nn.Linear(100, 16), nn.ReLU(), nn.Linear(16, 10))
"""
ZERO = f"""\
{NET}
for parameter in model.parameters():
    nn.init.zeros_(parameter)
"""
FAST = ("--data", "digits", "--seeds", "2", "--lrs", "0.02", "--epochs", "8")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "digits").mkdir()
    generator = np.random.default_rng(0)
    for images, labels, count in ((sets.FILES[0], sets.FILES[1], 400), (sets.FILES[2], sets.FILES[3], 100)):
        truth = (np.arange(count) % 10).astype(np.uint8)
        pixels = generator.integers(0, 60, (count, 10, 10), dtype=np.uint8)
        pixels[np.arange(count), truth] += 150
        (tmp_path / "digits" / images).write_bytes(packed(pixels))
        (tmp_path / "digits" / labels).write_bytes(packed(truth))
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "zero.py").write_text(ZERO)
    return tmp_path


def test_two_targets_with_all_outputs_and_the_same_bytes_twice(folder):
    command = ("verify", "zero.py", "--against", "net.py", *FAST)
    code, out, err = run(*command, "-o", "json:one.json", "-o", "html:page.html", cwd=folder)
    assert code == 0 and "IMPROVED" in out and not err
    assert out.startswith("data     images in digits")
    assert json.loads((folder / "one.json").read_text())["verdict"] == "IMPROVED"
    assert "<svg" in (folder / "page.html").read_text()
    code, out, _ = run(*command, "--output-format", "json", cwd=folder)
    assert code == 0 and out == (folder / "one.json").read_text()


def test_an_older_revision_is_the_one_before(folder):
    def git(*words):
        settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    git("add", "net.py")
    git("commit", "-qm", "first")
    (folder / "net.py").write_text(ZERO)
    code, out, _ = run("verify", "net.py", "--against", "git:HEAD", *FAST, cwd=folder)
    assert code == 1 and "WORSE" in out
    assert "before   net@HEAD.py::model" in out and "after    net.py::model" in out
    assert sorted(path.name for path in folder.iterdir()) == [".git", "digits", "net.py", "zero.py"]
    with pytest.raises(TargetError) as raised:
        older(str(folder / "net.py"), "nowhere")
    assert raised.value.name == "revision-missing" and "nowhere" in raised.value.message


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("net.py", "--data", "mnist"), 4, "MNIST is not in data/MNIST/raw"),
        (("net.py", "--data", "nowhere"), 4, "there is no folder nowhere"),
        (("net.py", "--against", "recomended"), 2, "did you mean"),
        (("net.py", "--budget", "soon"), 2, "write 60s"),
        (("net.py", "--lrs", "fast"), 2, "write auto"),
        (("net.py", "--lrs", "0"), 2, "above 0"),
        (("nowhere.py",), 4, "cannot find nowhere.py"),
        (("net.py", "--against", "git:HEAD"), 4, "git"),
        (("net.py", "-o", "sarif:x"), 2, "sarif"),
    ],
)
def test_bad_input_is_told_before_torch_is_started(folder, arguments, code, said):
    found, out, err = run("verify", *arguments, cwd=folder, fake=True)
    assert (found, out) == (code, "")
    assert said in err and "Traceback" not in err


def test_a_corrupt_file_is_told_and_nothing_is_written(folder):
    path = folder / "digits" / sets.FILES[0]
    path.write_bytes(path.read_bytes()[:-7])
    code, out, err = run("verify", "net.py", "-o", "json:out.json", *FAST, cwd=folder, fake=True)
    assert code == 4 and not out
    assert "train-images-idx3-ubyte" in err and "follow" in err
    assert not (folder / "out.json").exists()


def test_a_model_that_fails_or_is_none_is_told(folder):
    (folder / "wrong.py").write_text(NET.replace("16, 10", "17, 10"))
    code, _, err = run("verify", "wrong.py", *FAST, cwd=folder)
    assert code == 4 and "before:" in err and "16" in err


def test_what_the_code_prints_is_passed_on_once(folder):
    loud = ZERO.replace("from torch import nn\n", "from torch import nn\n\n\nclass Loud(nn.Sequential):\n    def __init__(self, *parts):\n")
    loud = loud.replace("*parts):\n", "*parts):\n        super().__init__(*parts)\n        print('built it')\n").replace(
        "nn.Sequential(nn.", "Loud(nn."
    )
    (folder / "loud.py").write_text(loud)
    code, _, err = run("verify", "loud.py", "--against", "net.py", *FAST, cwd=folder)
    assert code == 0 and err.count("built it") == 1
    _, out, err = run("fix", "loud.py", "--unsafe-fixes", "--check", "--verify", "--budget", "5s", cwd=folder)
    assert "Trained before and after:" in out and err.count("built it") == 1
