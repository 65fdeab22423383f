"""Symmetry, memory and zero: what an expert says of each start."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.verdicts.builders import LoRA, Recurrent, Residual, he, linears, mlp
from tests.verdicts.verdict import NOTHING, SILENT, judge, says


def zeroed(index):
    def edit(model):
        linears(model)[index].weight.zero_()
        linears(model)[index].bias.zero_()

    return edit


def constant_everywhere(model):
    for layer in linears(model):
        layer.weight.fill_(0.1)
        layer.bias.zero_()


def equal_rows(model):
    weight = linears(model)[1].weight
    weight.copy_(weight[:1].expand_as(weight))


def half_copied(model):
    weight = linears(model)[1].weight
    weight[32:].copy_(weight[:32])


def all_zero(model):
    for layer in linears(model):
        layer.weight.zero_()
        layer.bias.zero_()


class TwoZeroFactors(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16, 16)
        self.scale = nn.Parameter(torch.zeros(16))
        self.project = nn.Linear(16, 16)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(x + self.scale * self.project(torch.tanh(self.body(x))))


class ReluOfZeroTimes(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16, 16)
        self.gate = nn.Parameter(torch.zeros(16))
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(torch.relu(self.gate * self.body(x)))


class AdaLN(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(32, elementwise_affine=False)
        self.condition = nn.Linear(8, 32)
        self.modulation = nn.Linear(32, 96)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.mix = nn.Linear(32, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x, c):
        shift, scale, gate = self.modulation(nn.functional.silu(self.condition(c))).chunk(3, dim=-1)
        x = x + gate * self.mix(self.norm(x) * (1 + scale) + shift)
        return self.head(x)


class ZeroConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.control = nn.Conv2d(3, 8, 3, padding=1)
        self.zero = nn.Conv2d(8, 8, 1)
        nn.init.zeros_(self.zero.weight)
        nn.init.zeros_(self.zero.bias)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x)) + self.zero(torch.relu(self.control(x)))
        return self.head(x.mean((2, 3)))


class Scalar(nn.Module):
    """A residual branch behind a learned scalar or vector."""

    def __init__(self, value, size=1):
        super().__init__()
        self.gate = nn.Parameter(torch.full((size,), value))
        self.branch = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(x + self.gate * self.branch(x))


def empty_parameter(written):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(16, 16)
            self.scale = nn.Parameter(torch.empty(16))
            with torch.no_grad():
                written(self.scale)

        def forward(self, x):
            return self.fc(x) * self.scale

    return Net


def to_empty():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))
    return model.to_empty(device="cpu")


def through_numpy():
    model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))
    model[0].weight = nn.Parameter(torch.empty(16, 16))
    model[0].weight.data.numpy()[:] = np.random.default_rng(0).normal(0, 0.35, (16, 16))
    model[2].weight = nn.Parameter(torch.from_numpy(np.random.default_rng(1).normal(0, 0.25, (4, 16)).astype("float32")))
    return model


def not_a_number():
    model = mlp(3)()
    model[2].weight.data[0, 0] = float("nan")
    return model


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


def tied():
    model = mlp(4, width=64)()
    model[4].weight = model[2].weight
    return model


class SubPixel(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)
        with torch.no_grad():
            self.conv.weight.copy_(self.conv.weight[::4].repeat_interleave(4, 0))
        self.shuffle = nn.PixelShuffle(2)
        self.out = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.out(torch.relu(self.shuffle(self.conv(x))))


def dirac():
    conv = nn.Conv2d(3, 8, 3, padding=1)
    nn.init.dirac_(conv.weight)
    return nn.Sequential(
        conv, nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    )


def identity_rnn():
    def init(rnn):
        nn.init.eye_(rnn.weight_hh_l0)
        nn.init.normal_(rnn.weight_ih_l0, std=0.2)
        nn.init.zeros_(rnn.bias_ih_l0)
        nn.init.zeros_(rnn.bias_hh_l0)

    return Recurrent(nn.RNN, init)


class Tiny(nn.Module):
    """One-element and zero-element parameters."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 16)
        self.temperature = nn.Parameter(torch.ones(1))
        self.none = nn.Parameter(torch.zeros(0, 16))
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(torch.relu(self.fc(x)) * self.temperature + self.none.sum())


def zeros(weight):
    nn.init.zeros_(weight)


def random(weight):
    nn.init.normal_(weight, std=0.1)


ROWS = [
    ("hidden-zero-relu", mlp(4, init=he(), edit=zeroed(1)), says("error", at="2.weight", by="zero-weight")),
    ("hidden-zero-relu-batchnorm", mlp(4, init=he(), norm=nn.BatchNorm1d, edit=zeroed(1)), says("error", at="3.weight", by="zero-weight")),
    (
        "hidden-zero-tanh",
        mlp(4, act=nn.Tanh, init=lambda layer: nn.init.xavier_uniform_(layer.weight), edit=zeroed(1)),
        says("warning", at="2.weight", by="zero-weight"),
    ),
    ("hidden-zero-gelu", mlp(4, act=nn.GELU, init=he(), edit=zeroed(1)), says("warning", at="2.weight", by="zero-weight")),
    ("all-zero-relu", mlp(4, edit=all_zero), says("error", at="2.weight", by="zero-weight")),
    ("all-zero-tanh", mlp(4, act=nn.Tanh, edit=all_zero), says("error", at="2.weight", by="zero-weight")),
    ("head-zero", mlp(4, init=he(), edit=zeroed(-1)), NOTHING),
    (
        "branch-end-zero",
        lambda: nn.Sequential(nn.Linear(64, 64), Residual(mlp(2, init=he(), classes=64, edit=zeroed(-1))()), nn.Linear(64, 10)),
        NOTHING,
    ),
    ("lora-b-zero", lambda: LoRA(random, zeros), NOTHING),
    ("scalar-zero", lambda: Scalar(0.0), NOTHING),
    ("layerscale-1e-6", lambda: Scalar(1e-6, 32), NOTHING),
    ("lora-both-zero", lambda: LoRA(zeros, zeros), says("error", at="up.weight", by="zero-weight")),
    ("two-zero-factors", TwoZeroFactors, says("error", at="scale", by="zero-weight")),
    ("relu-of-zero-times", ReluOfZeroTimes, says("error", at="gate", by="zero-weight")),
    ("all-constant", mlp(4, edit=constant_everywhere), says("error", at="2.weight", by="constant-weight")),
    ("equal-rows", mlp(4, init=he(), edit=equal_rows), says("warning", at="2.weight", by="identical-units")),
    ("half-copied", mlp(4, init=he(), edit=half_copied), says("info", at="2.weight", by="identical-units")),
    ("empty", empty_parameter(lambda p: None), says("error", at="scale", by="never-written")),
    ("half-written", empty_parameter(lambda p: p[:8].fill_(1.0)), says("error", at="scale", by="partly-written")),
    ("to-empty", to_empty, says("error", at="0.weight", by="never-written")),
    ("numpy", through_numpy, SILENT),
    ("nan", not_a_number, says("error", at="2.weight", by="non-finite-weight")),
    ("tied", tied, SILENT),
    ("tiny", Tiny, NOTHING),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_row(build, expected):
    judge(build, expected)


def test_adaln_zero():
    judge(AdaLN, NOTHING, (torch.randn(32, 32), torch.randn(32, 8)))


def test_transformer_encoder_is_cloned():
    report = judge(Encoder, says("warning", by="cloned-layers"), torch.randn(16, 6, 32))
    assert "encoder.layers.1.linear1.weight" in report.at_least("warning")[0].parameters
    assert len(report.at_least("warning")) == 1


@pytest.mark.parametrize("build", [ZeroConv, SubPixel, dirac])
def test_convolutional_conventions(build):
    judge(build, SILENT, torch.randn(8, 3, 12, 12))


def test_identity_rnn():
    judge(identity_rnn, NOTHING, torch.randn(32, 8, 16))


def test_finite_state_space_ramps():
    class Ramp(nn.Module):
        def __init__(self):
            super().__init__()
            self.project = nn.Linear(16, 16)
            self.a_log = nn.Parameter(torch.arange(1.0, 9).log().repeat(16, 1))
            self.head = nn.Linear(16, 4)

        def forward(self, x):
            state = torch.zeros(x.shape[0], 16, 8)
            for step in range(x.shape[1]):
                state = state * torch.exp(-0.1 * torch.exp(self.a_log)) + self.project(x[:, step]).unsqueeze(-1)
            return self.head(state.mean(-1))

    judge(Ramp, SILENT, torch.randn(32, 5, 16, generator=torch.Generator().manual_seed(0)))
