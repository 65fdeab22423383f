"""From a target to a live model, and what is said when the user's code gives none."""

import sys
import textwrap
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from initcheck.construct.builder import construct
from initcheck.construct.recording.recorder import Recorder
from initcheck.discover import targets
from initcheck.errors import TargetError

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.fc = nn.Linear(2, width)
"""


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def build(source, name="", watch=None):
        (tmp_path / "model.py").write_text(textwrap.dedent(source))
        (target,) = targets.parse("model.py" + (f"::{name}" if name else ""))
        return construct(target, watch or nullcontext())

    return build


@pytest.fixture
def fails(build):
    def fails(source, name=""):
        with pytest.raises(TargetError) as caught:
            build(source, name)
        assert caught.value.hint
        return caught.value

    return fails


def test_a_class_is_built_with_its_arguments(build):
    made = build(NET, "Net(width=5)")
    assert made.model.fc.out_features == 5
    assert type(made.model).__name__ == "Net"
    assert made.inputs is None


def test_how_it_was_built_is_told(build):
    made = build(NET + "net = Net()\noptimizer = torch.optim.SGD(net.parameters(), lr=1)\n")
    assert (made.built.expression, str(made.built.location.path), made.built.location.line) == ("Net()", "model.py", 9)
    assert (made.built.executed, made.built.statements) == (4, 5) or made.built.executed < made.built.statements
    assert made.built.skipped == ("optimizer (line 10)",)


def test_sys_exit_at_import(fails):
    error = fails(
        "import sys\nfrom torch import nn\nif len(sys.argv) < 2:\n    size = sys.exit(3)\nelse:\n    size = 2\nnet = nn.Linear(2, size)\n"
    )
    assert error.name == "exits"
    assert "model.py:4 calls sys.exit(3)" in error.message


def test_a_required_option_is_taken_as_absent(build):
    source = (
        "import argparse\n"
        + NET
        + "p = argparse.ArgumentParser()\np.add_argument('--data', required=True)\np.add_argument('files', nargs='+')\n"
        + "p.add_argument('--width', required=True, choices=[5, 6])\nargs = p.parse_args()\nnet = Net(args.width)\n"
    )
    made = build(source)
    assert made.model.fc.out_features == 5
    assert made.built.notes == (
        "--data is required: None stands for it",
        "files is required: None stands for it",
        "--width is required: 5, the first of its choices, stands for it",
    )


def test_a_required_option_that_the_model_needs(build):
    source = (
        "import argparse\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self, hidden_size):\n        super().__init__()\n"
        "        self.fc = nn.Linear(4, hidden_size)\n"
        "p = argparse.ArgumentParser()\np.add_argument('--h', type=int, required=True)\nargs = p.parse_args()\nnet = Net(args.h)\n"
    )
    made = build(source)
    assert made.built.guessed
    assert any("not built as the script does it" in note for note in made.built.notes)


def test_what_only_data_would_tell_is_guessed_and_said(build):
    source = (
        "from torch import nn\nvocab_size = len(open('missing.txt').read())\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.table = nn.Embedding(vocab_size, 16)\n\nnet = Net()\nnn.init.zeros_(net.table.weight)\n"
    )
    made = build(source)
    assert made.built.guessed == (f"vocab_size={made.model.table.num_embeddings}",)
    assert not made.model.table.weight.any()
    assert any("missing.txt" in note for note in made.built.notes)


def test_an_exception_in_the_constructor(fails):
    error = fails(NET.replace("nn.Linear(2, width)", "nn.Linear(2, width) if width > 9 else {}['depth']"), "Net")
    assert error.name == "build-failed"
    assert "model.py:8: KeyError: 'depth'" in error.message


def test_an_exception_inside_torch_names_the_line_of_the_user(fails):
    assert "model.py:8: " in fails(NET, "Net(width='wide')").message


def test_a_missing_module(fails):
    error = fails("import nobody_has_this\nfrom torch import nn\nnet = nn.Linear(2, nobody_has_this.size)\n")
    assert error.name == "missing-import"
    assert error.message == "model.py:3 needs nobody_has_this.size, which is not installed"
    assert error.hint == "pip install nobody_has_this"


def test_a_parameter_of_size_zero(fails):
    for layer in ("nn.Embedding(len([]), 4)", "nn.Linear(0, 4)"):
        with_warning = (
            f"import warnings\nfrom torch import nn\ndef initcheck_model():\n    warnings.simplefilter('ignore')\n    return {layer}\n"
        )
        error = fails(with_warning)
        assert error.name == "zero-size"
        assert "weight" in error.message


def test_an_embedding_whose_table_is_none(fails):
    error = fails("import torch\nfrom torch import nn\nnet = nn.Embedding(3, 4)\nnet.weight = nn.Parameter(torch.tensor(1.0))\n")
    assert error.name == "zero-size"
    assert "whose table is []" in error.message


def test_a_lazy_module_is_let_through(build):
    made = build("from torch import nn\nnet = nn.Sequential(nn.LazyLinear(4))\n")
    assert isinstance(made.model[0], nn.LazyLinear)


def test_initcheck_model_wins(build):
    assert build(NET + "net = Net()\ndef initcheck_model():\n    return Net(11)\n").model.fc.out_features == 11


def test_initcheck_input_is_used(build):
    made = build(NET + "net = Net()\ndef initcheck_input():\n    return torch.ones(4, 2)\n")
    assert torch.equal(made.inputs, torch.ones(4, 2))


@pytest.mark.parametrize("offer", ["def example_inputs():\n    return torch.ones(4, 2)", "example_input_array = torch.ones(4, 2)"])
def test_other_offers_of_input(build, offer):
    assert torch.equal(build(NET + "net = Net()\n" + offer + "\n").inputs, torch.ones(4, 2))


def test_an_input_is_made_outside_the_watch(build):
    recorder = Recorder()
    made = build(NET + "net = Net()\ndef initcheck_input():\n    return torch.empty(2).fill_(1.0)\n", watch=recorder)
    records = recorder.resolve(made.model).parameters
    assert [record.name for record in records] == ["fc.weight", "fc.bias"]
    assert records[0].writes[-1].location.get().line == 8


def test_a_script_that_trains_comes_out_untrained(build):
    source = """
    import torch
    from torch import nn
    torch.manual_seed(3)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for step in range(5):
        loss = model(torch.ones(4, 2)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    """
    imported = {}
    exec(textwrap.dedent(source), imported)
    torch.manual_seed(3)
    fresh = nn.Linear(2, 1)
    model = build(source).model
    assert torch.equal(model.weight, fresh.weight)
    assert not torch.equal(model.weight, imported["model"].weight)


def test_what_is_no_module(fails):
    assert fails("import torch\ndef initcheck_model():\n    return 3\n").name == "no-module"
    assert fails("import torch\nnumber = 3\n", "number").name == "no-module"


def test_neighbours_can_be_imported(build, tmp_path):
    (tmp_path / "sizes_of_neighbour.py").write_text("WIDTH = 6\n")
    path = list(sys.path)
    assert build("from torch import nn\nfrom sizes_of_neighbour import WIDTH\nnet = nn.Linear(2, WIDTH)\n").model.out_features == 6
    assert sys.path == path


def test_dataclasses_and_pickles_find_their_module(build):
    source = "from dataclasses import dataclass\n" + NET + "@dataclass\nclass Config:\n    width: int = 4\nnet = Net(Config().width)\n"
    assert build(source).model.fc.out_features == 4


def test_a_file_that_changed_meanwhile(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(NET)
    (target,) = targets.parse(str(path))
    path.write_text(NET + "\n")
    with pytest.raises(TargetError, match="changed"):
        construct(target, nullcontext())


def test_a_module_on_the_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zoo_of_test.py").write_text("from torch import nn\ndef build(width=2):\n    return nn.Linear(2, width)\n")
    (target,) = targets.parse("zoo_of_test:build(5)")
    try:
        assert construct(target, nullcontext()).model.out_features == 5
    finally:
        sys.modules.pop("zoo_of_test", None)


def test_a_module_that_is_not_there():
    (target,) = targets.parse("nobody_has_this.mod:build")
    with pytest.raises(TargetError) as caught:
        construct(target, nullcontext())
    assert caught.value.name == "missing-import"


@pytest.mark.filterwarnings("default")
def test_torchvision():
    pytest.importorskip("torchvision")
    (target,) = targets.parse("torchvision:resnet18(num_classes=7)")
    made = construct(target, nullcontext())
    assert made.model.fc.out_features == 7
    assert made.built.expression == "resnet18(num_classes=7)"
    with pytest.raises(TargetError) as caught:
        construct(targets.parse("torchvision:resnet19")[0], nullcontext())
    assert caught.value.name == "unknown-name"
    assert caught.value.hint.startswith("did you mean torchvision:resnet1")


@pytest.mark.filterwarnings("default")
def test_hugging_face(tmp_path, monkeypatch):
    transformers = pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    config = transformers.BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    config.save_pretrained("tiny")
    (target,) = targets.parse("hf:./tiny")
    made = construct(target, nullcontext())
    assert type(made.model).__name__ == "BertModel"
    assert made.model.embeddings.word_embeddings.weight.shape == (11, 8)
    assert "no weights were loaded" in made.built.notes[0]
