"""Parametrizations, scripts, data types, memory layouts and unusual products."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.infer.dataflow import expect, roles, x


def chain():
    return nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))


CHAIN = {"0.weight": "tanh <- input", "2.weight": "relu <- tanh", "4.weight": "output <- relu"}


def test_weight_norm():
    def build():
        model = chain()
        model[2] = nn.utils.parametrizations.weight_norm(model[2])
        return model

    name = "2.parametrizations.weight.original"
    expect(build, x(4, 8), {f"{name}0": "relu <- tanh", f"{name}1": "relu <- tanh", "4.weight": "output <- relu"})


def test_symmetric_parametrization():
    class Symmetric(nn.Module):
        def forward(self, w):
            return w.triu() + w.triu(1).T

    def build():
        model = chain()
        nn.utils.parametrize.register_parametrization(model[2], "weight", Symmetric())
        return model

    expect(build, x(4, 8), {"2.parametrizations.weight.original": "relu <- tanh"})


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_scripted_and_traced():
    expect(lambda: torch.jit.script(chain()), x(4, 8), CHAIN)
    expect(lambda: torch.jit.trace(chain(), x(4, 8)), x(4, 8), CHAIN)


def test_bfloat16_and_double():
    expect(lambda: chain().bfloat16(), x(4, 8).bfloat16(), CHAIN)
    expect(lambda: chain().double(), x(4, 8).double(), CHAIN)


def test_autocast():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = chain()

        def forward(self, x):
            with torch.autocast("cpu", torch.bfloat16):
                return self.body(x)

    expect(Net, x(4, 8), {f"body.{name}": text for name, text in CHAIN.items()})


def test_channels_last():
    def build():
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Tanh(), nn.Conv2d(8, 2, 1)).to(
            memory_format=torch.channels_last
        )

    inputs = x(2, 3, 8, 8).to(memory_format=torch.channels_last)
    expect(build, inputs, {"0.weight": "relu <- input", "2.weight": "tanh <- relu", "4.weight": "output <- tanh"})


def test_complex_weights():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Parameter(torch.randn(8, 8, dtype=torch.complex64) / 8)
            self.b = nn.Linear(8, 4)

        def forward(self, x):
            return self.b(torch.relu((x.to(torch.complex64) @ self.a).real))

    expect(Net, x(4, 8), {"a": "relu <- input", "b.weight": "output <- relu"})


def test_einsum_weights():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.randn(8, 4, 4) / 3), nn.Linear(16, 4)

        def forward(self, x):
            return self.b(F.gelu(torch.einsum("bti,iho->btho", x, self.a)).flatten(2))

    expect(Net, x(2, 5, 8), {"a": "gelu <- input", "b.weight": "output <- gelu"})


def test_expert_stack():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.down = nn.Parameter(torch.randn(4, 8, 16) / 3), nn.Parameter(torch.randn(4, 16, 8) / 4)

        def forward(self, x):
            return torch.bmm(F.silu(torch.bmm(x, self.up)), self.down)

    found = roles(Net, x(4, 5, 8))
    assert found == {"up": ({"silu"}, {"input"}), "down": ({"output"}, {"silu"})}


def test_convolution_by_unfold():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.head = nn.Parameter(torch.randn(6, 27) / 5), nn.Linear(6, 4)

        def forward(self, x):
            patches = F.unfold(x, 3)
            return self.head(torch.relu(self.weight @ patches).mean(-1))

    expect(Net, x(2, 3, 8, 8), {"weight": "relu <- input", "head.weight": "output <- relu"})


def test_transposed_storage():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.randn(8, 16) / 3), nn.Parameter(torch.randn(16, 4) / 4)

        def forward(self, x):
            return torch.tanh(x @ self.a) @ self.b

    expect(Net, x(4, 8), {"a": "tanh <- input", "b": "output <- tanh"})


def test_hypernetwork():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hyper, self.out = nn.Linear(8, 64), nn.Linear(8, 4)

        def forward(self, x, code):
            weight = self.hyper(code).view(8, 8)
            return self.out(torch.relu(F.linear(x, weight)))

    expect(Net, (x(4, 8), x(8)), {"hyper.weight": "weight_layer <- input", "out.weight": "output <- relu"})


def test_compiled_wrapper():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = chain()

        def forward(self, x):
            return self.body(x)

    found = roles(lambda: torch.compile(Net(), backend="eager"), x(4, 8))
    assert {name.removeprefix("_orig_mod.body."): value for name, value in found.items()} == {
        name: (set(text.partition("<-")[0].split()), set(text.partition("<-")[2].split())) for name, text in CHAIN.items()
    }


def test_transposed_convolution_and_pooling():
    def build():
        return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.LeakyReLU(0.2), nn.AvgPool2d(2), nn.ConvTranspose2d(8, 4, 4, 2), nn.Tanh())

    expect(build, x(2, 3, 16, 16), {"0.weight": "leaky_relu <- input", "3.weight": "tanh <- leaky_relu"})


def test_group_and_instance_norm():
    def build():
        return nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8), nn.ReLU(), nn.Conv2d(8, 2, 1)
        )

    expect(build, x(2, 3, 12, 12), {"0.weight": "group_norm <- input", "3.weight": "instance_norm <- relu", "6.weight": "output <- relu"})


def test_log_softmax_head():
    expect(
        lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4), nn.LogSoftmax(-1)), x(4, 8), {"2.weight": "log_softmax <- relu"}
    )


def test_bilinear():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.pair, self.out = nn.Bilinear(6, 7, 8), nn.Linear(8, 4)

        def forward(self, a, b):
            return self.out(torch.relu(self.pair(a, b)))

    expect(Net, (x(4, 6), x(4, 7)), {"pair.weight": "relu <- input", "out.weight": "output <- relu"})
