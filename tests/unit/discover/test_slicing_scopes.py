"""Slicing by Python's scope rules: every way to bind a name that a model needs."""

import textwrap
from contextlib import nullcontext

import pytest

from initcheck.construct.builder import construct
from initcheck.discover import targets
from initcheck.discover.slicing import slice_source

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.fc = nn.Linear(2, width)

    def forward(self, x):
        return self.fc(x)
"""


@pytest.fixture
def make(tmp_path):
    """Builds the one target of a source text; every statement that must not run raises."""

    def make(source, name=None):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(source))
        (target,) = targets.parse(f"{path}::{name}" if name else str(path))
        return construct(target, nullcontext()).model

    return make


def kept(source, name):
    """The first words of the kept statements' lines, as text."""
    text = textwrap.dedent(source)
    lines = text.splitlines()
    return [lines[first - 1] for first, _ in slice_source(text, "script.py", name).ranges]


def test_del_and_rebinding():
    source = "from torch import nn\nwidth = 3\nwidth += 1\nwidth = 5\nother = 1\ndel other\nnet = nn.Linear(2, width)\n"
    assert kept(source, "net") == ["from torch import nn", "width = 5", "net = nn.Linear(2, width)"]


def test_augmented_assignment(make):
    assert make("from torch import nn\nwidth = 3\nwidth += 1\nnet = nn.Linear(2, width)\n").out_features == 4


def test_comprehension_scopes(make):
    model = make(
        """
        from torch import nn
        sizes = [2, 3, 4]
        scale = 2
        i = undefined
        net = nn.Sequential(*[nn.Linear(i * scale, j * scale) for i, j in zip(sizes, sizes[1:])])
        """.replace("i = undefined", "i = 7")
    )
    assert [layer.out_features for layer in model] == [6, 8]


def test_a_comprehension_variable_is_not_the_global():
    source = "from torch import nn\ni = missing\nnet = nn.Sequential(*[nn.Linear(i, i) for i in (1, 2)])\n"
    assert "i = missing" not in kept(source, "net")


def test_class_attributes_defaults_and_decorators(make):
    model = make(
        """
        import functools
        from torch import nn
        WIDTH = 6
        DEPTH = 2
        def mark(cls):
            cls.marked = True
            return cls

        @mark
        class Net(nn.Module):
            width = WIDTH
            def __init__(self, depth=DEPTH):
                super().__init__()
                self.layers = nn.ModuleList(nn.Linear(2, self.width) for _ in range(depth))
        """,
        "Net",
    )
    assert model.marked
    assert len(model.layers) == 2
    assert model.layers[0].out_features == 6


def test_a_name_that_is_shadowed_locally():
    source = "from torch import nn\nsize = missing\ndef build():\n    size = 3\n    return nn.Linear(size, size)\nnet = build()\n"
    assert "size = missing" not in kept(source, "net")


def test_imports_only_when_needed_and_future_always(make):
    source = "from __future__ import annotations\nimport wandb_of_nobody\nfrom torch import nn\nnet = nn.Linear(2, 3)\nwandb_of_nobody.watch(net)\n"
    assert kept(source, "net") == ["from __future__ import annotations", "from torch import nn", "net = nn.Linear(2, 3)"]
    assert make(source).out_features == 3


def test_an_import_that_is_tried(make):
    source = (
        "from torch import nn\ntry:\n    from nobody_has_this import size\nexcept ImportError:\n    size = 4\nnet = nn.Linear(2, size)\n"
    )
    assert make(source).out_features == 4


def test_a_star_import(make):
    assert make("import os\nfrom torch.nn import *\nnet = Sequential(Linear(2, 3))\n")[0].out_features == 3


@pytest.mark.parametrize(
    "binding",
    [
        "depth, width = 1, 8",
        "first, *rest = 1, 8\nwidth = rest[0]",
        "if (width := 8) > 3:\n    pass",
        "import io\nwith io.StringIO('8') as stream:\n    width = int(stream.read())",
        "match ('wide', 8):\n    case ('wide', width):\n        pass\n    case _:\n        width = 1",
        "def choose():\n    global width\n    width = 8\nchoose()",
        "wide = True\nif wide:\n    width = 8\nelse:\n    width = 2",
        "for width in range(9):\n    pass",
        "width: int = 8",
        "def later():\n    return Width.size\nclass Width:\n    size = 8\nwidth = later()",
    ],
    ids=["tuple", "star", "walrus", "with", "match", "global", "if", "for", "annotated", "defined-later"],
)
def test_every_way_to_bind(make, binding):
    assert make(NET + binding + "\nnet = Net(width)\n").fc.out_features == 8
