"""The module in which a slice runs: its package, its neighbours, what it leaves behind, and what is said when it fails."""

import inspect
import sys
import textwrap
import typing
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import nn

from initcheck.construct.arguments.literal import literals
from initcheck.construct.builder import construct
from initcheck.construct.loader import code_of, fresh_module, package_of
from initcheck.discover import targets
from initcheck.errors import TargetError
from initcheck.records.target import Recipe

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width: int = 3, *, depth: int = 1):
        super().__init__()
        self.fc = nn.Linear(2, width)

    def forward(self, x: torch.Tensor) -> "torch.Tensor":
        return self.fc(x)
"""


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def build(source, spec="model.py"):
        path = tmp_path / spec.split("::")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        (target,) = targets.parse(spec)
        return construct(target, nullcontext())

    return build


def test_lines_of_the_code_are_those_of_the_file(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("import os\n\n\nwidth = 3\n\ndepth = 1 / 0\n")
    module = fresh_module(str(path))
    with pytest.raises(ZeroDivisionError) as caught:
        exec(code_of(str(path), Recipe((1, 2), 3)).before, module.__dict__)
    assert caught.traceback[-1].lineno == 5
    assert module.width == 3
    assert not hasattr(module, "os")


def test_every_run_has_a_module_of_its_own(tmp_path):
    first, second = fresh_module(str(tmp_path / "model.py")), fresh_module(str(tmp_path / "model.py"))
    assert first.__name__ != second.__name__
    assert "__main__" not in (first.__name__, second.__name__)
    assert sys.modules[first.__name__] is first
    assert first.__file__ == str(tmp_path / "model.py")


def test_an_encoding_that_the_file_declares(build, tmp_path):
    (tmp_path / "model.py").write_bytes(
        "# -*- coding: latin-1 -*-\nfrom torch import nn\nname = 'é'\nnet = nn.Linear(2, len(name))\n".encode("latin-1")
    )
    (target,) = targets.parse("model.py")
    assert construct(target, nullcontext()).model.out_features == 1


def test_relative_imports_inside_a_package(build, tmp_path):
    (tmp_path / "shop_of_test" / "deep").mkdir(parents=True)
    (tmp_path / "shop_of_test" / "__init__.py").write_text("")
    (tmp_path / "shop_of_test" / "deep" / "__init__.py").write_text("")
    (tmp_path / "shop_of_test" / "sizes.py").write_text("WIDTH = 6\n")
    source = "from torch import nn\nfrom ..sizes import WIDTH\nnet = nn.Linear(2, WIDTH)\n"
    assert build(source, "shop_of_test/deep/model.py").model.out_features == 6
    assert package_of(tmp_path / "shop_of_test" / "deep" / "model.py") == ("shop_of_test.deep", tmp_path)


def test_neighbours_of_the_same_name_are_kept_apart(build, tmp_path):
    for folder, width in (("one", 4), ("two", 7)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sizes_beside.py").write_text(f"WIDTH = {width}\n")
    source = "from torch import nn\nfrom sizes_beside import WIDTH\nnet = nn.Linear(2, WIDTH)\n"
    assert build(source, "one/model.py").model.out_features == 4
    assert build(source, "two/model.py").model.out_features == 7
    assert not list(tmp_path.glob("*/__pycache__"))


def test_source_and_annotations_are_found(build):
    kind = type(build(NET).model)
    assert inspect.getsource(kind).startswith("class Net(nn.Module)")
    assert inspect.getsourcefile(kind.forward) is not None
    assert typing.get_type_hints(kind.forward) == {"x": torch.Tensor, "return": torch.Tensor}


def test_an_import_that_nobody_needs_may_be_missing(build):
    source = "import nobody_has_this, math\nfrom torch import nn, nobody_has_that\nnet = nn.Linear(2, math.floor(4.5))\n"
    assert build(source).model.out_features == 4


def test_wrappers_are_taken_off(build):
    made = build(NET + "net = nn.DataParallel(torch.compile(Net()))\n")
    assert type(made.model).__name__ == "Net"
    assert made.built.notes == ("torch.compile was left out",)


def test_defaults_of_torch_are_as_before(build):
    made = build(NET + "torch.set_default_dtype(torch.float64)\nnet = Net()\n")
    assert made.model.fc.weight.dtype == torch.float64
    assert torch.get_default_dtype() == torch.float32


def test_missing_arguments_show_the_signature(build, tmp_path):
    (tmp_path / "zoo_of_needs.py").write_text("from torch import nn\n\ndef build(width, depth=2):\n    return nn.Linear(2, width)\n")
    (target,) = targets.parse("zoo_of_needs:build")
    with pytest.raises(TargetError) as caught:
        construct(target, nullcontext())
    sys.modules.pop("zoo_of_needs")
    assert caught.value.name == "needs-args"
    assert "missing a required argument: 'width'" in caught.value.message
    assert "build(width, depth=2)" in caught.value.message
    assert caught.value.hint == "Try: initcheck 'zoo_of_needs:build(width=...)'"


def test_too_many_arguments(build):
    with pytest.raises(TargetError) as caught:
        build(NET, "model.py::Net(3, 4)")
    assert caught.value.name == "needs-args"
    assert "too many positional arguments" in caught.value.message


def test_a_name_that_the_slice_missed_is_said_honestly(build):
    source = "from torch import nn\nif __name__ == '__main__':\n    width = 3\ndef initcheck_model():\n    return nn.Linear(2, width)\n"
    with pytest.raises(TargetError) as caught:
        build(source)
    assert "model.py:5: NameError: name 'width' is not defined" in caught.value.message
    assert "was not executed" in caught.value.message


def test_a_file_that_is_needed_and_missing(build):
    with pytest.raises(TargetError) as caught:
        build("from torch import nn\nnet = nn.Linear(2, len(open('words.txt').read()))\n")
    assert "model.py:2 needs words.txt" in caught.value.message


def test_several_models_at_once(build):
    with pytest.raises(TargetError) as caught:
        build("from torch import nn\ndef initcheck_model():\n    return nn.Linear(2, 3), nn.Linear(3, 2)\n")
    assert caught.value.name == "no-module"
    assert "several modules" in caught.value.message


def test_an_instance_of_a_module_on_the_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("zoo_of_one.py").write_text("from torch import nn\nnet = nn.Linear(2, 3)\n")
    made = construct(targets.parse("zoo_of_one:net")[0], nullcontext())
    sys.modules.pop("zoo_of_one")
    assert isinstance(made.model, nn.Linear)
    assert made.built.expression == "net"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", ((), {})),
        ("64", ((64,), {})),
        ("(1, 2), name='a', flag=True", (((1, 2),), {"name": "a", "flag": True})),
        ("-1.5", ((-1.5,), {})),
    ],
)
def test_literal_arguments(text, values):
    assert literals(text) == values


@pytest.mark.parametrize("text", ["width", "print()", "1)(2", "*[1]", "a b"])
def test_anything_else_is_refused(text):
    with pytest.raises(TargetError):
        literals(text)
