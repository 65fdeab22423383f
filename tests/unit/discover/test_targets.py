"""What may be typed as a target, and what is said when it cannot be one."""

import pytest

from initcheck.discover import targets
from initcheck.errors import ExitCode, InitcheckError, NothingToCheck, TargetError, UsageError

MODEL = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.fc = nn.Linear(size, size)

class Net(nn.Module):
    def __init__(self, width=3, *, depth=1):
        super().__init__()
        self.block = Block(width)

def build():
    return Net(4)
"""
WIDE = "from torch import nn\n\nclass Wide(nn.Module):\n    def __init__(self, width, depth=2):\n        super().__init__()\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


def refusal(spec, kind=TargetError):
    with pytest.raises(kind) as caught:
        targets.parse(spec)
    assert isinstance(caught.value, InitcheckError)
    assert caught.value.hint
    return caught.value


def test_a_file_gives_its_model(write):
    (target,) = targets.parse(write("model.py", MODEL.replace("def build", "def _build")))
    assert (target.spec, target.path, target.qualname, target.kind) == ("model.py::Net", "model.py", "Net", "class")
    assert target.recipe.statements == 5


def test_a_file_with_several_instances_gives_several_targets(write):
    path = write("gan.py", "from torch import nn\ng = nn.Linear(2, 3)\nd = nn.Linear(3, 1)\n")
    assert [target.spec for target in targets.parse(path)] == ["gan.py::g", "gan.py::d"]


def test_a_name_and_literal_arguments(write):
    write("model.py", MODEL)
    (plain,) = targets.parse("model.py::Net")
    (called,) = targets.parse("model.py::Net(width=64, depth=2)")
    assert (plain.arguments, called.arguments) == ("", "width=64, depth=2")
    assert called.spec == "model.py::Net(width=64, depth=2)"
    (factory,) = targets.parse("model.py::build")
    assert factory.kind == "factory"


def test_a_module_and_libraries(write, tmp_path):
    (module,) = targets.parse("pkg.mod:factory")
    assert (module.path, module.qualname, module.kind, module.recipe) == ("pkg.mod", "factory", "library", None)
    (vision,) = targets.parse("torchvision:resnet50(num_classes=7)")
    assert (vision.path, vision.qualname, vision.arguments) == ("torchvision", "resnet50", "num_classes=7")
    write("saved/config.json", "{}")
    (face,) = targets.parse("hf:./saved")
    assert (face.path, face.qualname) == ("hf", "./saved")


def test_a_folder_gives_all_files_with_models(write):
    write("proj/a.py", "import torch.nn as nn\nnet = nn.Linear(1, 2)\n")
    write("proj/deep/b.py", MODEL)
    write("proj/plain.py", "print('no model')\n")
    write("proj/.hidden/c.py", "from torch import nn\nnet = nn.Linear(1, 2)\n")
    found, problems = targets.expand("proj")
    assert {target.path for target in found} == {"proj/a.py", "proj/deep/b.py"}
    assert problems == ()


def test_a_bad_file_does_not_hide_the_good_ones(write):
    write("proj/a.py", "from torch import nn\nnet = nn.Linear(1, 2)\n")
    write("proj/broken.py", "import torch\nclass Net(:\n")
    found, (problem,) = targets.expand("proj")
    assert [target.spec for target in found] == ["proj/a.py::net"]
    assert problem.name == "syntax-error"


def test_a_missing_file(write):
    write("model.py", MODEL)
    error = refusal("modle.py")
    assert error.name == "file-missing"
    assert error.exit_code is ExitCode.INCOMPLETE
    assert "model.py" in error.hint
    assert refusal("nowhere/net.py::Net").name == "file-missing"


def test_a_syntax_error_names_line_and_cause(write):
    error = refusal(write("model.py", "import torch\n\nclass Net(:\n    pass\n"))
    assert error.name == "syntax-error"
    assert "model.py:3: SyntaxError" in error.message
    assert error.exit_code is ExitCode.INCOMPLETE


def test_no_model(write):
    error = refusal(write("plain.py", "x = 1\n"), NothingToCheck)
    assert error.exit_code is ExitCode.NOTHING_CHECKED
    (write("empty/notes.txt", "nothing"), refusal("empty", NothingToCheck))


def test_one_colon_instead_of_two(write):
    write("model.py", MODEL)
    assert refusal("model.py:Net").hint == "did you mean model.py::Net?"


def test_an_unknown_name_is_guessed(write):
    write("model.py", MODEL)
    error = refusal("model.py::Nett")
    assert error.name == "unknown-name"
    assert error.hint == "did you mean model.py::Net?"


@pytest.mark.parametrize("spec", ["wide.py", "wide.py::Wide"])
def test_a_class_that_needs_arguments_is_built_like_its_call_sites(write, spec):
    write("wide.py", WIDE + "\ndef test():\n    Wide(args.width)\n    Wide(16, depth=3)\n")
    (target,) = targets.parse(spec)
    assert [recipe.call for recipe in (target.recipe, *target.others)] == ["Wide(16, depth=3)", "Wide(...)"]
    assert target.recipe.line == 9


def test_a_class_that_is_never_called_is_left_open(write):
    write("wide.py", WIDE)
    (target,) = targets.parse("wide.py")
    assert (target.spec, target.recipe.call, target.others) == ("wide.py::Wide", "Wide(...)", ())
    (target,) = targets.parse("wide.py::Wide(width=8)")
    assert target.arguments == "width=8"


@pytest.mark.parametrize("call", ["Net(width=open('x'))", "Net(x)", "Net(width=", "Net(**{'width': 3})", "3Net", "Net(1); print(2)"])
def test_only_literals_are_arguments(write, call):
    write("model.py", MODEL)
    assert refusal(f"model.py::{call}", UsageError).exit_code is ExitCode.USAGE


def test_an_instance_takes_no_arguments(write):
    write("model.py", MODEL + "net = Net()\n")
    refusal("model.py::net(3)", UsageError)


def test_encodings(write):
    text = "# -*- coding: latin-1 -*-\nfrom torch import nn\nname = 'é'\nnet = nn.Linear(2, len(name))\n"
    (target,) = targets.parse(write("latin.py", text.encode("latin-1")))
    assert target.qualname == "net"
    error = refusal(write("bad.py", text.split("\n", 1)[1].encode("latin-1")))
    assert error.name in {"encoding", "syntax-error"}
    assert "line 2" in error.message
    (marked,) = targets.parse(write("bom.py", b"\xef\xbb\xbffrom torch import nn\nnet = nn.Linear(2, 3)\n"))
    assert marked.qualname == "net"


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "book.ipynb"])
def test_what_is_no_python(write, name):
    assert refusal(write(name, b"\x80\x02")).name == "not-python"


def test_a_folder_of_hugging_face_without_config(write):
    assert refusal("hf:./nothing").name == "file-missing"


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("model.py:Net", "model.py::Net"),
        ("model.py:Net(3)", "model.py::Net(3)"),
        ("model.py:12:5", "model.py"),
        ("model::Net", "model.py::Net"),
        ("pkg.mod::Net", "pkg.mod:Net"),
        ("torchvision::resnet18", "torchvision:resnet18"),
        ("huggingface:org/name", "hf:org/name"),
    ],
)
def test_a_wrong_colon_is_explained(write, spec, meant):
    write("model.py", MODEL)
    assert refusal(spec).hint == f"did you mean {meant}?"


def test_weights_are_targets_of_their_own(write):
    (target,) = targets.parse(write("saved.safetensors", b""))
    assert (target.kind, target.path) == ("weights", "saved.safetensors")
    assert refusal("saved.safetensors::Net").hint == "initcheck saved.safetensors"


def test_pickles_and_formats_of_others_are_refused(write):
    assert refusal(write("model.pkl", b"\x80\x04")).name == "unsafe-pickle"
    assert refusal(write("model.gguf", b"GGUF")).name == "not-python"
    write("saved/config.json", "{}")
    assert refusal("saved/config.json").hint == "initcheck hf:saved"


def test_an_id_that_is_not_in_the_cache_is_answered_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert refusal("hf:owner/name").hint == "hf download owner/name config.json"
    cached = tmp_path / "cache" / "models--owner--name" / "snapshots" / "1"
    cached.mkdir(parents=True)
    (cached / "config.json").write_text("{}")
    assert targets.parse("hf:owner/name")[0].qualname == "owner/name"
    assert targets.parse("hf:gpt2")[0].qualname == "gpt2"
    assert targets.parse("hf:openai-community/gpt2")[0].path == "hf"
