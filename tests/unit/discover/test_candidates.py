"""Which names of a file are models, and which of them a plain file name stands for."""

import textwrap

import pytest

from initcheck.discover.candidates import candidates, chosen
from initcheck.discover.files import looks_like_model

HEAD = "import copy\nimport torch\nfrom torch import nn, optim\nimport torch.nn.functional as F\nimport torchvision\nfrom torchvision import models\n"
NET = "class Net(nn.Module):\n    def __init__(self, width=3):\n        super().__init__()\n        self.fc = nn.Linear(width, 2)\n"


def found(source):
    return candidates(HEAD + textwrap.dedent(source), "model.py")


def names(source):
    return [candidate.qualname for candidate in chosen(found(source))]


@pytest.mark.parametrize(
    "statement",
    [
        "net = Net()",
        "net = Net().to('cuda')",
        "net: nn.Module = Net(4).eval().double()",
        "net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())",
        "net = torch.nn.LSTM(2, 3)",
        "net = models.resnet18(weights=None)",
        "net = torchvision.models.vit_b_16()",
        "net = build()",
        "net = nn.DataParallel(Net())",
        "net = torch.compile(Net())",
        "net = Net(1) if torch.cuda.is_available() else Net(2)",
        "net, size = Net(), 3",
        "net = Net()\nnet = net.to('cpu')",
        "if True:\n    net = Net()",
    ],
)
def test_an_instance(statement):
    source = NET + "def build():\n    made = Net()\n    return made\n" + statement + "\n"
    assert names(source) == ["net"]


@pytest.mark.parametrize(
    "statement",
    [
        "loss = nn.CrossEntropyLoss()",
        "optimizer = optim.Adam(nn.Linear(1, 2).parameters())",
        "relu = nn.ReLU()",
        "x = torch.randn(3)",
        "y = F.relu(torch.ones(2))",
        "class Loss(nn.Module):\n    pass",
        "weight = nn.Parameter(torch.ones(2))",
        "if __name__ == '__main__':\n    net = nn.Linear(2, 3)",
        "class Plain:\n    def forward(self):\n        pass",
        "def helper():\n    return 3",
    ],
)
def test_not_a_model(statement):
    assert found(statement + "\n") == ()


def test_a_piece_of_another_instance_is_none():
    source = "first = nn.Linear(2, 3)\nbody = nn.Linear(3, 3)\nnet = nn.Sequential(first, nn.ReLU())\nnet.body = body\n"
    assert names(source) == ["net"]


def test_a_copy_is_none():
    assert names(NET + "net = Net()\nteacher = copy.deepcopy(net)\n") == ["net"]


def test_instances_before_classes_and_factories():
    source = NET + "def build():\n    return Net()\ngenerator = Net()\ndiscriminator = nn.Sequential(nn.Linear(1, 2))\n"
    assert names(source) == ["generator", "discriminator"]


def test_initcheck_model_wins():
    assert names(NET + "net = Net()\ndef initcheck_model():\n    return something(net)\n") == ["initcheck_model"]


def test_a_component_is_no_target():
    source = """
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(Block(), Block())
    """
    assert names(source) == ["Net"]
    assert {candidate.qualname: candidate.component for candidate in found(source)} == {"Block": True, "Net": False}


def test_a_private_factory_hides_nothing_but_passes_on_what_it_uses():
    block = "class Block(nn.Module):\n    pass\ndef _block():\n    return Block()\n"
    net = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.body = _block()\n"
    assert names(NET + "def _build():\n    return Net()\n") == ["Net"]
    assert names(block + net) == ["Net"]


def test_descent_through_classes_of_the_file_and_of_others():
    source = """
    from base import Base
    class Root(nn.Module):
        pass
    class Leaf(Root):
        pass
    class Other(Base):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3)
        def forward(self, x):
            return self.fc(x)
    """
    kinds = {candidate.qualname: candidate.kind for candidate in found(source)}
    assert kinds == {"Root": "class", "Leaf": "class", "Other": "class"}


def test_required_arguments_are_listed():
    source = """
    class Wide(nn.Module):
        def __init__(self, width, depth, drop=0.1, *, heads, mode="x"):
            super().__init__()
    """
    (candidate,) = found(source)
    assert candidate.needs == ("width", "depth", "heads")
    assert candidate.signature == "width, depth, drop=0.1, *, heads, mode='x'"
    assert chosen((candidate,)) == (candidate,)


def test_an_inherited_constructor_counts():
    source = "class Root(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n\nclass Leaf(Root):\n    pass\n"
    leaf = next(candidate for candidate in found(source) if candidate.qualname == "Leaf")
    assert leaf.needs == ("width",)


def test_what_needs_no_arguments_comes_before_what_does():
    assert names(NET + "class Other(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n") == ["Net"]


def test_factories():
    source = NET + "def build(width=3) -> nn.Module:\n    return Net(width)\ndef other(width):\n    return Net(width)\n"
    assert names(source) == ["build"]


def test_order_lines_and_expression():
    (candidate,) = (item for item in found("\nnet = nn.Linear(2, 3)\n") if item.kind == "instance")
    assert (candidate.line, candidate.expression) == (8, "nn.Linear(2, 3)")


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (b"import torch.nn as nn\nnet = nn.Linear(2, 3)\n", True),
        (b"from torch import nn\nclass Net(nn.Module):\n    pass\n", True),
        (b"from torchvision import models\nm = models.resnet18()\n", True),
        (b"import torch\nx = torch.ones(3)\n", False),
        (b"net = Linear(2, 3)\n", False),
        (b"# import torch\nnn = 3\n", False),
        (b"import torch\nclass (:\n", True),
        (b"", False),
    ],
)
def test_looks_like_model(source, answer):
    assert looks_like_model(source) is answer


def test_the_same_module_under_another_name_is_one_candidate():
    source = "import torch\nfrom torch import nn\nmodel = nn.Linear(2, 3)\nm = model.to('cpu')\nfast = torch.compile(m)\nloss = m(0)\n"
    assert [offer.qualname for offer in chosen(candidates(source, "model.py"))] == ["model"]


def test_a_piece_under_another_name_is_a_piece():
    source = "from torch import nn\nenc = nn.Linear(2, 3)\nmoved = enc.to('cpu')\nfull = nn.Sequential(moved, nn.Linear(3, 2))\n"
    assert [offer.qualname for offer in chosen(candidates(source, "model.py"))] == ["full"]


def test_what_is_bound_to_an_underscore_is_not_wanted():
    source = (
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, width=4):\n        super().__init__()\n"
        "        self.fc = nn.Linear(width, 2)\n\n\n_ = Net(None)\n"
    )
    assert [offer.qualname for offer in chosen(candidates(source, "model.py"))] == ["Net"]
