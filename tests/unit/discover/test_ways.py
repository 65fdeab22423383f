"""In which ways a candidate can be built, most faithful first."""

import textwrap

import pytest

from initcheck.discover import targets

HEAD = """
import argparse
import torch
from torch import nn
from torchvision import datasets

class Net(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.fc = nn.Linear(width, classes)

def init(m):
    nn.init.zeros_(m.weight)
"""


@pytest.fixture
def ways(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def ways(source, spec="script.py", **others):
        (tmp_path / "script.py").write_text(HEAD + textwrap.dedent(source))
        for name, text in others.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        (target,) = targets.parse(spec)
        return target, (target.recipe, *target.others)

    return ways


def test_a_model_in_main_is_built_as_main_does(ways):
    target, found = ways("""
        def main():
            parser = argparse.ArgumentParser()
            parser.add_argument("--width", default=5)
            args = parser.parse_args()
            data = datasets.MNIST(".", download=True)
            net = Net(args.width, 10)
            net.apply(init)
            torch.optim.SGD(net.parameters(), 0.1).step()

        if __name__ == "__main__":
            main()
    """)
    assert (target.spec, target.kind) == ("script.py::main.net", "instance")
    assert (found[0].call, found[0].chain, found[0].expression) == ("", ("__main__", "main"), "Net(args.width, 10)")
    assert "MNIST download (line 19)" in found[0].skipped
    assert [recipe.call for recipe in found[1:]] == ["Net(5, 10)", "Net(...)"]


def test_what_rests_on_data_is_left_open(ways):
    target, found = ways("""
        if __name__ == "__main__":
            data = datasets.MNIST(".", download=True)
            classes = len(data.classes)
            net = Net(width=64, classes=classes)
            net.apply(init)
            net = net.cuda()
            for x in data:
                net(x).backward()
    """)
    assert (target.spec, found[0].call) == ("script.py::net", "Net(width=64, classes=...)")
    assert len(found[0].after) == 1  # the initialization, not the training


def test_global_names_that_rest_on_data_are_left_open(ways):
    _, found = ways("""
        text = open("input.txt").read()
        size = len(set(text))
        half = size // 2

        class Reader(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(half, size)

        model = Reader()
        model.fc = nn.Linear(half, len(text))
    """)
    assert (found[0].call, found[0].unknown) == ("", ())
    assert (found[1].call, found[1].unknown) == ("Reader()", ("half", "size", "text"))
    assert len(found[1].after) == 1
    assert (found[2].unknown, found[2].after) == (("half", "size"), ())


def test_modules_among_the_arguments_are_opened_too(ways):
    _, found = ways("""
        class Pair(nn.Module):
            def __init__(self, one, two, device):
                super().__init__()

        def main(vocabulary):
            size = len(vocabulary)
            one = Net(size, 8)
            two = Net(size, classes=8)
            model = Pair(one, two, "cpu")
            model.parameters()
    """)
    assert found[0].call == "Pair(Net(..., 8), Net(..., classes=8), 'cpu')"


def test_a_call_inside_another_class(ways):
    _, found = ways("""
        class Trainer:
            def __init__(self, args):
                width = 32
                self.model = Net(width, args.classes)
    """)
    assert [recipe.call for recipe in found] == ["Net(32, ...)", "Net(...)"]


def test_complete_calls_elsewhere_come_before_open_ones(ways):
    _, found = ways(
        "def later(args):\n    return [Net(args.width, 2)]\n",
        train="from script import Net\nWIDTH = 12\nnet = Net(WIDTH, classes=3)\n",
        unrelated="class Net: pass\nNet(1, 2)\n",
    )
    assert [(recipe.call, recipe.seen) for recipe in found] == [("Net(12, classes=3)", "train.py"), ("Net(..., 2)", ""), ("Net(...)", "")]


def test_calls_in_documentation(ways, tmp_path):
    (tmp_path / "README.md").write_text("# Use\n\n```python\nfrom script import Net\nnet = Net(7, classes=2)\n```\n")
    _, found = ways("")
    assert (found[0].call, found[0].seen, found[0].line) == ("Net(7, classes=2)", "README.md", 5)


def test_a_class_without_needs_is_called_plainly_first(ways):
    _, found = ways(
        "class Plain(nn.Module):\n    def __init__(self, width=3):\n        super().__init__()\n\ndef f():\n    return [Plain(width=9)]\n",
        "script.py::Plain",
    )
    assert [recipe.call for recipe in found] == ["", "Plain(width=9)"]


def test_of_training_and_evaluation_the_training_counts(ways):
    target, _ = ways("""
        def evaluate():
            net = Net(3, 2)
            net.load_state_dict(torch.load("best.pt"))

        def train():
            net = Net(3, 2)
            torch.optim.SGD(net.parameters(), 0.1).step()

        if __name__ == "__main__":
            train()
            evaluate()
    """)
    assert target.spec == "script.py::train.net"


def test_an_optimizer_is_no_model(ways):
    target, _ = ways("""
        def main():
            optimizer = torch.hub.make()
            optimizer.zero_grad()
            optimizer.step()
    """)
    assert target.spec == "script.py::Net"


def test_a_function_and_its_model_can_be_named(ways):
    target, found = ways("def main():\n    net = Net(3, 2)\n    net.parameters()\n    other = Net(4, 2)\n", "script.py::main.other")
    assert (target.qualname, found[0].expression) == ("main.other", "Net(4, 2)")
