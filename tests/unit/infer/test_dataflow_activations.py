"""Which nonlinearity a weight feeds and is fed by: functional calls, fused bodies, gates."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.infer.dataflow import expect, x


class Three(nn.Module):
    """Three linear layers with a function between them."""

    def __init__(self, first, second=torch.relu):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.first, self.second = first, second

    def forward(self, x):
        return self.c(self.second(self.b(self.first(self.a(x)))))


def test_functional_chain():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.d = (nn.Linear(8, 8) for _ in range(4))

        def forward(self, x):
            return self.d(F.gelu(self.c(torch.tanh(self.b(F.relu(self.a(x)))))))

    expect(
        Net,
        x(4, 8),
        {"a.weight": "relu <- input", "b.weight": "tanh <- relu", "c.weight": "gelu <- tanh", "d.weight": "output <- gelu"},
    )


BODIES = {
    "silu": lambda z: z * torch.sigmoid(z),
    "gelu_tanh": lambda z: 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    "gelu": lambda z: 0.5 * z * (1 + torch.erf(z / math.sqrt(2))),
    "relu2": lambda z: torch.relu(z) ** 2,
    "mish": lambda z: z * torch.tanh(F.softplus(z)),
    "softsign": lambda z: z / (1 + z.abs()),
    "hardswish": lambda z: z * F.relu6(z + 3) / 6,
    "relu": lambda z: z.clamp(min=0),
    "sin": lambda z: torch.sin(30 * z),
    "leaky_relu": lambda z: torch.where(z > 0, z, 0.2 * z),
    "rms_norm": lambda z: z * torch.rsqrt(z.pow(2).mean(-1, keepdim=True) + 1e-6),
    "layer_norm": lambda z: (z - z.mean(-1, keepdim=True)) / (z.std(-1, keepdim=True) + 1e-6),
    "hardsigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "selu": F.selu,
    "elu": F.elu,
    "celu": lambda z: F.celu(z, 2.0),
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
}


def pytest_generate_tests(metafunc):
    if "body" in metafunc.fixturenames:
        metafunc.parametrize("body", sorted(BODIES))


def test_bodies_written_out(body):
    fed = "rms_norm" if body == "rms_norm" else body
    expect(lambda: Three(BODIES[body]), x(4, 8), {"a.weight": f"{body} <- input", "b.weight": f"relu <- {fed}"})


def test_relu_times_relu():
    expect(lambda: Three(lambda z: torch.relu(z) * torch.relu(z)), x(4, 8), {"a.weight": "relu2 <- input", "b.weight": "relu <- relu2"})


def test_prelu_and_in_place():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
            self.next, self.act = nn.Conv2d(8, 8, 3), nn.PReLU()
            self.last = nn.Conv2d(8, 4, 1)

        def forward(self, x):
            return self.last(self.act(self.next(F.relu_(self.bn(self.conv(x))))))

    expect(
        Net,
        x(4, 3, 8, 8),
        {
            "conv.weight": "batch_norm <- input",
            "bn.weight": "relu <- weight_layer",
            "next.weight": "prelu <- relu",
            "last.weight": "output <- prelu",
        },
    )


def test_one_layer_with_two_activations():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x):
            return self.b(torch.relu(self.a(torch.tanh(self.a(x)))))

    expect(Net, x(4, 8), {"a.weight": "relu tanh <- input tanh", "b.weight": "output <- relu"})


class SwiGLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.both, self.out = nn.Linear(8, 32), nn.Linear(16, 8)

    def forward(self, x):
        gate, up = self.both(x).chunk(2, -1)
        return self.out(F.silu(gate) * up)


def test_swiglu_by_chunk():
    expect(SwiGLU, x(4, 8), {"both.weight": "silu gate_multiply <- input", "out.weight": "output <- gate_multiply"})


def test_swiglu_written_out():
    class Net(SwiGLU):
        def forward(self, x):
            gate, up = self.both(x).chunk(2, -1)
            return self.out(gate * torch.sigmoid(gate) * up)

    expect(Net, x(4, 8), {"both.weight": "silu gate_multiply <- input", "out.weight": "output <- gate_multiply"})


def test_fused_glu():
    class Net(SwiGLU):
        def forward(self, x):
            return self.out(F.glu(self.both(x)))

    expect(Net, x(4, 8), {"both.weight": "sigmoid gate_multiply <- input", "out.weight": "output <- gate_multiply"})


class LlamaMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 16)
        self.norm = nn.Parameter(torch.ones(16))
        self.gate, self.up, self.down = nn.Linear(16, 32), nn.Linear(16, 32), nn.Linear(32, 16)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        h = self.embed(x)
        normed = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6) * self.norm
        return self.head(h + self.down(F.silu(self.gate(normed)) * self.up(normed)))


def test_llama_mlp_with_hand_written_norm():
    expect(
        LlamaMLP,
        x(4, 8),
        {
            "embed.weight": "rms_norm residual_add <- input",
            "gate.weight": "silu <- rms_norm",
            "up.weight": "gate_multiply <- rms_norm",
            "down.weight": "residual_add <- gate_multiply",
            "head.weight": "output <- residual_add",
        },
    )


def test_squeeze_and_excite():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)
            self.squeeze, self.excite = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
            self.last = nn.Conv2d(8, 4, 1)

        def forward(self, x):
            h = self.conv(x)
            gate = torch.sigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(h, 1)))))
            return self.last(h * gate)

    expect(
        Net,
        x(4, 3, 8, 8),
        {
            "conv.weight": "gate_multiply weight_layer <- input",
            "squeeze.weight": "relu <- weight_layer",
            "excite.weight": "sigmoid <- relu",
            "last.weight": "output <- gate_multiply",
        },
    )


def test_custom_autograd_function():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z**3

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return 3 * z**2 * g

    expect(lambda: Three(Cube.apply), x(4, 8), {"a.weight": "custom:Cube <- input", "b.weight": "relu <- custom:Cube"})


def test_tanh_gelu_after_a_hand_written_norm():
    def body(z):
        n = z * torch.rsqrt(z.pow(2).mean(-1, keepdim=True) + 1e-6)
        return 0.5 * n * (1 + torch.tanh(math.sqrt(2 / math.pi) * (n + 0.044715 * n**3)))

    expect(lambda: Three(body), x(4, 8), {"a.weight": "rms_norm <- input", "b.weight": "relu <- gelu_tanh"})


def test_sum_of_two_pre_activations():
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.u, self.out = nn.Linear(8, 16), nn.Linear(16, 16, bias=False), nn.Linear(16, 4)

        def forward(self, x):
            h = x.new_zeros(x.shape[0], 16)
            for step in range(x.shape[1]):
                h = torch.tanh(self.w(x[:, step]) + self.u(h))
            return self.out(h)

    expect(Cell, x(4, 3, 8), {"w.weight": "tanh <- input", "u.weight": "tanh <- tanh", "out.weight": "output <- tanh"})


def test_gru_cell_by_hand():
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.wz, self.uz = nn.Linear(8, 8), nn.Linear(8, 8)
            self.wn, self.un = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x, h):
            z = torch.sigmoid(self.wz(x) + self.uz(h))
            n = torch.tanh(self.wn(x) + z * self.un(h))
            return (1 - z) * n + z * h

    expect(
        Cell,
        (x(4, 8), x(4, 8)),
        {
            "wz.weight": "recurrent <- input",
            "uz.weight": "recurrent <- input",
            "wn.weight": "recurrent <- input",
            "un.weight": "recurrent <- input",
        },
    )
