"""What is said when the user's code fails while a model is built: where, the user's own cause, and what to do."""

import pytest

from initcheck.construct.blame import whole_program
from initcheck.records.target import Recipe, Target
from tests.unit.construct.stand_ins.building import TORCH, build, fails, net

__all__ = ["build", "fails"]

RUN = "run it for real up to its first training step: initcheck run model.py"


def test_a_data_file_that_is_not_there(fails):
    error = fails(
        f"{TORCH}def initcheck_model():\n    words = open('data/train.txt').read().split()\n    return nn.Embedding(len(words), 4)\n"
    )
    assert (error.name, error.message) == (
        "needs-data",
        "cannot build model.py::initcheck_model: model.py:4 needs data/train.txt (FileNotFoundError)",
    )
    assert error.hint.startswith(RUN)
    assert "def initcheck_model()" in error.hint


def test_a_data_file_that_lies_beside_the_script(tmp_path, monkeypatch):
    from contextlib import nullcontext

    from initcheck.construct.builder import construct
    from initcheck.discover import targets
    from initcheck.errors import TargetError

    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub dir" / "words.txt").write_text("a b")
    (tmp_path / "sub dir" / "model.py").write_text(
        f"{TORCH}def initcheck_model():\n    return nn.Embedding(len(open('words.txt').read()), 4)\n"
    )
    (target,) = targets.parse("sub dir/model.py")
    with pytest.raises(TargetError) as caught:
        construct(target, nullcontext())
    assert (
        caught.value.hint == "cd 'sub dir' && initcheck model.py::initcheck_model"
        or caught.value.hint == "cd 'sub dir' && initcheck model.py"
    )


@pytest.mark.parametrize("words", ["Dataset not found. You can use download=True to download it", "Root directory does not exist"])
def test_data_that_is_not_there(fails, words):
    error = fails(f"{TORCH}\ndef initcheck_model():\n    raise RuntimeError({words!r})\n")
    assert error.name == "needs-data"
    assert f"model.py:5 needs data: RuntimeError: {words}" in error.message


def test_required_options(fails):
    said = "the following arguments are required: --dataset, out"
    error = fails(f"{TORCH}import argparse\ndef initcheck_model():\n    p = argparse.ArgumentParser()\n    p.error('{said}')\n")
    assert error.name == "exits"
    assert error.message == "cannot build model.py::initcheck_model: model.py:6 parses the command line; model.py requires --dataset, out"
    assert error.hint.startswith("Try: initcheck run model.py --dataset ... OUT")


@pytest.mark.parametrize(("call", "words"), [("sys.exit('no GPU')", "calls sys.exit('no GPU')"), ("exit()", "calls sys.exit()")])
def test_exits(fails, call, words):
    error = fails(f"{TORCH}import sys\ndef initcheck_model():\n    {call}\n")
    assert (error.name, error.message) == ("exits", f"cannot build model.py::initcheck_model: model.py:5 {words}")
    assert error.hint.startswith(RUN)


def test_a_fault_of_the_author(fails):
    error = fails(net("self.l = nn.Linear(width, self.depht)"), "Net")
    assert error.message == "cannot build model.py::Net: model.py:7: AttributeError: 'Net' object has no attribute 'depht'"
    assert error.hint == "mend model.py:7; the other models of the file: initcheck targets model.py"


def test_a_fault_in_a_module_of_the_user(fails):
    error = fails(net("self.p = parts.Part(3)", head="import parts"), "Net", parts="def Part(n):\n    return {}[n]\n")
    assert error.message == "cannot build model.py::Net: parts.py:2: KeyError: 3"


def test_a_syntax_error_in_a_module_of_the_user(fails):
    error = fails(net("self.p = parts.Part(3)", head="import parts"), "Net", parts="def Part(n):\n    return (\n")
    assert "parts.py:2: SyntaxError" in error.message


@pytest.fixture
def installed(tmp_path, monkeypatch):
    def installed(name, text):
        place = tmp_path / "site-packages"
        place.mkdir(exist_ok=True)
        (place / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(place))

    return installed


def test_an_installed_package_that_does_not_work(fails, installed):
    installed("broken_inside", "import math\nx = math.nobody\n")
    error = fails(net("broken_inside.x", head="import broken_inside"), "Net")
    assert error.name == "import-failed"
    assert error.message.startswith(
        "cannot build model.py::Net: model.py:3 imports broken_inside, which fails: AttributeError: module 'math' has no"
    )
    assert error.hint == "python -c 'import broken_inside' has to work first"


def test_an_installed_package_that_misses_another(fails, installed):
    installed("needs_another", "import nobody_at_all\n")
    error = fails(net("needs_another.x", head="import needs_another"), "Net")
    assert error.name == "missing-import"
    assert error.message == "cannot build model.py::Net: model.py:3 imports needs_another, which needs nobody_at_all; that is not installed"
    assert error.hint == "pip install nobody_at_all"


def test_a_name_that_the_users_own_module_does_not_have(fails):
    error = fails(net("x", head="from parts import x"), "Net", parts="y = 1\n")
    assert error.name == "import-failed"
    assert error.hint == "mend line 3"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Found no NVIDIA driver on your system", "needs-device"),
        ("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes", "too-large"),
        ("something else", "build-failed"),
    ],
)
def test_devices_and_memory(fails, words, name):
    assert fails(f"{TORCH}\ndef initcheck_model():\n    raise RuntimeError({words!r})\n").name == name


def test_relative_imports_without_an_init_file(tmp_path, monkeypatch):
    from contextlib import nullcontext

    from initcheck.construct.builder import construct
    from initcheck.discover import targets

    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets" / "deep").mkdir(parents=True)
    (tmp_path / "nets" / "sizes.py").write_text("WIDTH = 5\n")
    (tmp_path / "nets" / "deep" / "parts.py").write_text("from ..sizes import WIDTH\n")
    (tmp_path / "nets" / "deep" / "model.py").write_text(
        net("self.l = nn.Linear(1, WIDTH)", head="from .parts import WIDTH; from ..sizes import WIDTH as W")
    )
    (target,) = targets.parse("nets/deep/model.py::Net")
    assert construct(target, nullcontext()).model.l.out_features == 5


@pytest.mark.parametrize(
    ("path", "recipe", "command"),
    [
        ("train.py", Recipe((), 0), "initcheck run train.py"),
        ("my runs/train.py", Recipe((), 0), "initcheck run 'my runs/train.py'"),
        ("first.ipynb", Recipe((), 0), "jupyter nbconvert --to script first.ipynb && initcheck run first.py"),
        ("<stdin>", Recipe((), 0), "initcheck run FILE.py"),
        ("project.train", None, "initcheck run -m project.train"),
    ],
)
def test_the_command_that_runs_the_whole_program(path, recipe, command):
    assert whole_program(Target(path, path, "Net", "class", recipe=recipe)) == command
