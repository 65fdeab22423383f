"""What each weight feeds, read from the text of `forward`; where that does not settle it, nothing is claimed."""

import textwrap

import pytest

from initcheck.discover.static.facts.stated import evidence_of
from initcheck.discover.static.offers import readable
from initcheck.discover.static.reading import read

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\nfrom elsewhere import helper\n\n\n"


def layer(tmp_path, init, forward, name="a.weight"):
    body, after = (textwrap.indent(textwrap.dedent(text).strip(), " " * 8) for text in (init, forward))
    path = tmp_path / "net.py"
    path.write_text(
        f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{body}\n\n    def forward(self, x, y=None):\n{after}\n"
    )
    (target,), _ = readable(f"{path}::Net")
    return evidence_of(target, read(target)).layer(name)


LINEAR = "self.a = nn.Linear(4, 4)\nself.b = nn.Linear(4, 4)\nself.act = nn.LeakyReLU(0.2)\nself.norm = nn.LayerNorm(4)\nself.drop = nn.Dropout(0.1)"


@pytest.mark.parametrize(
    ("forward", "role", "parameter"),
    [
        ("return self.b(F.relu(self.a(x)))", "relu", ()),
        ("return self.b(torch.tanh(self.a(x)))", "tanh", ()),
        ("x = self.a(x)\nx = x.sigmoid()\nreturn self.b(x)", "sigmoid", ()),
        ("return self.b(self.drop(self.act(self.a(x))))", "leaky_relu", (0.2,)),
        ("return self.b(F.leaky_relu(self.drop(self.a(x)), negative_slope=0.3))", "leaky_relu", (0.3,)),
        ("return self.b(F.gelu(self.a(x), approximate='tanh').mean(1))", "gelu_tanh", ()),
        ("h = self.norm(self.a(x))\nreturn self.b(F.silu(h))", "silu", ()),
        ("for m in (self.a, self.b):\n    x = F.elu(m(x))\nreturn x", "elu", (1.0,)),
        ("return nn.Sequential(self.a, nn.SELU(), self.b)(x)", "selu", ()),
        ("return self.b(torch.cat([F.relu(self.a(x)), x], 1))", "relu", ()),
    ],
)
def test_the_nonlinearity_that_follows(tmp_path, forward, role, parameter):
    found = layer(tmp_path, LINEAR, forward).nonlinearity
    assert found.known(), found
    assert (found.get().role, found.get().parameter) == (role, parameter)


@pytest.mark.parametrize(
    "forward",
    [
        "return self.b(self.a(x))",
        "return self.b(helper(self.a(x)))",
        "h = self.a(x)\nif x.shape[0] > 1:\n    h = F.relu(h)\nreturn self.b(h)",
        "h = self.a(x)\nreturn self.b(F.relu(h) + torch.tanh(h))",
        "return self.b(F.relu(self.a(x)) ** 2)",
        "return self.b(torch.relu(self.a(x)).square())",
        "return self.b(self.unknown(self.a(x)))",
        "h = self.a(x)\nfor _ in range(len(x)):\n    h = F.relu(h)\nreturn self.b(h)",
        "h = F.relu(self.a(x))\nif helper():\n    return h\nreturn self.b(helper(h))",
        "try:\n    return helper(self.a(x))\nexcept ValueError:\n    return self.b(F.relu(self.a(x)))",
    ],
)
def test_what_is_not_settled_is_not_claimed(tmp_path, forward):
    assert not layer(tmp_path, LINEAR, forward).nonlinearity.known()


@pytest.mark.parametrize(
    ("forward", "feeds", "norm"),
    [
        ("return self.b(self.a(x))", ("weight_layer",), ""),
        ("return self.a(x)", ("output",), ""),
        ("return self.b(self.norm(self.a(x)))", ("layer_norm",), "layer_norm"),
        ("return x + self.a(x)", ("residual_add",), ""),
        ("return self.b(x) * torch.sigmoid(self.a(x))", ("sigmoid",), ""),
        ("h = self.a(x)\nreturn F.relu(h), torch.tanh(h)", ("relu", "tanh"), ""),
    ],
)
def test_roles(tmp_path, forward, feeds, norm):
    found = layer(tmp_path, LINEAR, forward)
    assert found.feeds.get() == feeds
    assert found.norm == norm


def test_branches_and_gates(tmp_path):
    assert layer(tmp_path, LINEAR, "return x + self.b(F.relu(self.a(x)))").inside_branch
    assert layer(tmp_path, LINEAR, "return x + self.b(F.relu(self.a(x)))", "b.weight").closes_branch
    assert not layer(tmp_path, LINEAR, "return self.b(F.relu(self.a(x)))").inside_branch
    assert layer(tmp_path, LINEAR, "return helper(x, self.b(F.relu(self.a(x))))").inside_branch
    assert layer(tmp_path, LINEAR, "return self.b(x) * torch.sigmoid(self.a(x))").gates


def test_fans_follow_the_use(tmp_path):
    init = "self.a = nn.Parameter(torch.zeros(3, 5))\nself.c = nn.Conv2d(4, 8, 3, stride=2, groups=2)\nself.e = nn.Parameter(torch.zeros(2, 3, 5))"
    assert layer(tmp_path, init, "return x @ self.a", "a").fan_in.get() == 3
    assert layer(tmp_path, init, "return x @ self.a.T", "a").fan_in.get() == 5
    assert layer(tmp_path, init, "return F.linear(x, self.a)", "a").fan_in.get() == 5
    assert layer(tmp_path, init, "return torch.einsum('bi,eio->beo', x, self.e)", "e").fan_in.get() == 3
    conv = layer(tmp_path, init, "return self.c(x)", "c.weight")
    assert (conv.kind, conv.fan_in.get(), conv.fan_out.get()) == ("conv", 18, 9)


def test_a_weight_used_twice_has_both_surroundings(tmp_path):
    found = layer(tmp_path, LINEAR, "return self.b(F.relu(self.a(torch.tanh(self.a(x)))))")
    assert found.feeds.get() == ("relu", "tanh")
    assert not found.nonlinearity.known()
    assert found.uses == 2


def test_the_class_of_a_component_is_followed(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(
        HEAD
        + textwrap.dedent(
            """
            class Block(nn.Module):
                def __init__(self, size, act=nn.Tanh):
                    super().__init__()
                    self.fc, self.act = nn.Linear(size, size), act()

                def forward(self, x):
                    return self.act(self.fc(x))


            class Net(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.blocks = nn.ModuleList([Block(4), Block(4, nn.ReLU)])

                def forward(self, x):
                    for block in self.blocks:
                        x = block(x)
                    return x
            """
        )
    )
    (target,), _ = readable(f"{path}::Net")
    found = evidence_of(target, read(target))
    assert [found.layer(f"blocks.{index}.fc.weight").nonlinearity.get().role for index in (0, 1)] == ["tanh", "relu"]
