"""Scale and scheme: what an expert says of each start."""

import copy

import pytest
import torch
from torch import nn

from tests.verdicts.builders import (
    PreNorm,
    default,
    he,
    he_uniform,
    linears,
    mlp,
    normal,
    orthogonal,
    scale_layer,
    scaled,
    sqrt,
    xavier,
)
from tests.verdicts.verdict import NOTHING, SILENT, judge, says

MISMATCH = "scheme-nonlinearity-mismatch"
DEFAULT = "default-under-depth"
SIZES = ("weight-too-large", "weight-too-small")


def classic(norm=None):
    def build():
        model = nn.Sequential(nn.Linear(784, 128), *([norm(128)] if norm else []), nn.ReLU(), nn.Linear(128, 10))
        nn.init.xavier_uniform_(model[0].weight)
        nn.init.kaiming_uniform_(model[-1].weight, nonlinearity="relu")
        for layer in linears(model):
            nn.init.zeros_(layer.bias)
        return model

    return build


def cnn(channels, depth, init, norm=False):
    def build():
        parts, before = [], 3
        for index in range(depth):
            after = channels * (1 + index * 3 // max(depth - 1, 1))
            conv = nn.Conv2d(before, after, 3, padding=1)
            init(conv)
            nn.init.zeros_(conv.bias)
            parts += [conv, *([nn.BatchNorm2d(after)] if norm else []), nn.ReLU()]
            before = after
        return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))

    return build


def shifted(sigmas):
    def edit(model):
        for layer in linears(model)[:-1]:
            layer.weight.add_(sigmas * layer.weight.std())

    return edit


def uniform01(model):
    for layer in linears(model):
        layer.weight.uniform_()


def weight_normed():
    model = mlp(6, init=he())()
    for index, layer in enumerate(model):
        if isinstance(layer, nn.Linear):
            layer.weight.data.mul_(30.0)
            model[index] = nn.utils.parametrizations.weight_norm(layer)
            model[index].parametrizations.weight.original0.data.fill_(sqrt(2))
    return model


class Equalised(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(64, 64)) for _ in range(6)])
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        for weight in self.weights:
            x = torch.relu(x @ (weight.t() * sqrt(2 / 64)))
        return self.head(x)


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


ROWS = [
    ("classic", classic(), says("warning", at="0.weight", by=MISMATCH)),
    ("classic-batchnorm", classic(nn.BatchNorm1d), says("info", at="0.weight", by=MISMATCH)),
    ("classic-layernorm", classic(nn.LayerNorm), says("info", at="0.weight", by=MISMATCH)),
    ("relu-default-3", mlp(3), NOTHING),
    ("relu-default-5", mlp(5), says("nothing", "info", "warning")),
    ("relu-default-8", mlp(8), says("error", at="4.weight", by=DEFAULT)),
    ("relu-default-20", mlp(20), says("error", at="4.weight", by=DEFAULT)),
    ("relu-xavier-4", mlp(4, init=xavier()), says("warning", at="2.weight", by=MISMATCH)),
    ("relu-xavier-12", mlp(12, init=xavier()), says("warning", at="2.weight", by=MISMATCH)),
    ("relu-xavier-20", mlp(20, init=xavier()), says("error", at="2.weight", by=MISMATCH)),
    ("relu-xavier-20-wide", mlp(20, width=256, init=xavier()), says("error", at="2.weight", by=MISMATCH)),
    ("relu-he-2", mlp(2, init=he()), NOTHING),
    ("relu-he-8", mlp(8, init=he()), NOTHING),
    ("relu-he-20-uniform", mlp(20, init=he_uniform()), NOTHING),
    ("relu-he-20-fan-out", mlp(20, init=he(mode="fan_out")), NOTHING),
    ("relu-he-50", mlp(50, init=he()), NOTHING),
    ("relu-he-50-wide", mlp(50, width=256, init=he()), NOTHING),
    ("relu-he-20-narrow", mlp(20, width=32, init=he()), SILENT),
    ("relu-he-times-3", mlp(8, init=scaled(he(), 3.0)), says("error", at="2.weight")),
    ("one-hidden-hundredth", mlp(8, init=he(), edit=scale_layer(3, 0.01)), SILENT),
    ("one-hidden-times-10", mlp(4, init=he(), edit=scale_layer(1, 10.0)), says("warning", at="2.weight")),
    ("one-hidden-times-100", mlp(4, init=he(), edit=scale_layer(1, 100.0)), says("error", at="2.weight")),
    ("one-hidden-times-10-batchnorm", mlp(4, init=he(), norm=nn.BatchNorm1d, edit=scale_layer(1, 10.0)), SILENT),
    ("one-hidden-times-100-batchnorm", mlp(4, init=he(), norm=nn.BatchNorm1d, edit=scale_layer(1, 100.0)), SILENT),
    ("tanh-xavier", mlp(8, act=nn.Tanh, init=xavier()), NOTHING),
    ("tanh-xavier-5/3", mlp(8, act=nn.Tanh, init=xavier(5 / 3)), NOTHING),
    ("tanh-he", mlp(8, act=nn.Tanh, init=he()), says("warning", at="2.weight", by=MISMATCH)),
    ("sigmoid-3", mlp(3, act=nn.Sigmoid, init=xavier()), SILENT),
    ("sigmoid-8", mlp(8, act=nn.Sigmoid, init=xavier()), says("warning", "error", at="2.weight")),
    ("sigmoid-8-gain-2", mlp(8, act=nn.Sigmoid, init=xavier(2.0)), says("warning", "error", at="2.weight")),
    ("selu-lecun", mlp(8, act=nn.SELU, init=he(nonlinearity="linear")), NOTHING),
    ("selu-lecun-20", mlp(20, act=nn.SELU, init=he(nonlinearity="linear")), NOTHING),
    ("selu-he", mlp(8, act=nn.SELU, init=he()), says("warning", at="2.weight", by=MISMATCH)),
    ("gelu-he", mlp(8, act=nn.GELU, init=he()), NOTHING),
    ("silu-he", mlp(8, act=nn.SiLU, init=he()), SILENT),
    ("mish-he", mlp(8, act=nn.Mish, init=he()), NOTHING),
    ("elu-he", mlp(8, act=nn.ELU, init=he()), NOTHING),
    ("silu-he-20", mlp(20, act=nn.SiLU, init=he()), says("warning", "error", at="2.weight")),
    ("gelu-xavier", mlp(4, act=nn.GELU, init=xavier()), says("warning", at="2.weight", by=MISMATCH)),
    ("silu-xavier", mlp(4, act=nn.SiLU, init=xavier()), says("warning", at="2.weight", by=MISMATCH)),
    ("leaky-he", mlp(6, act=lambda: nn.LeakyReLU(0.2), init=he(nonlinearity="leaky_relu", a=0)), NOTHING),
    (
        "leaky-a1",
        mlp(3, act=lambda: nn.LeakyReLU(0.2), init=he(nonlinearity="leaky_relu", a=1)),
        says("warning", at="0.weight", by=MISMATCH),
    ),
    ("leaky-linear", mlp(3, act=lambda: nn.LeakyReLU(0.2), init=he(nonlinearity="linear")), says("warning", at="0.weight", by=MISMATCH)),
    ("orthogonal-relu-4", mlp(4, init=orthogonal()), says("info", at="2.weight", by=MISMATCH)),
    ("orthogonal-relu-20", mlp(20, init=orthogonal()), says("error", at="2.weight", by=MISMATCH)),
    ("orthogonal-relu-gain", mlp(20, init=orthogonal(sqrt(2))), NOTHING),
    ("n002-cnn", cnn(16, 12, normal(0.02)), says("error", at="2.weight", by=SIZES)),
    ("n1-everywhere", mlp(6, init=normal(1.0)), says("error", at="2.weight", by=SIZES)),
    ("uniform01", mlp(4, init=he(), edit=uniform01), says("error", at="2.weight", by="weight-mean-offset")),
    ("uniform01-batchnorm", mlp(4, init=he(), norm=nn.BatchNorm1d, edit=uniform01), says("error", at="3.weight", by="weight-mean-offset")),
    ("mean-shift", mlp(4, init=he(), edit=shifted(1.0)), says("error", at="2.weight", by="weight-mean-offset")),
    (
        "mean-shift-batchnorm",
        mlp(4, init=he(), norm=nn.BatchNorm1d, edit=shifted(1.0)),
        says("error", at="3.weight", by="weight-mean-offset"),
    ),
    ("weight-norm", weight_normed, NOTHING),
    ("equalised", Equalised, NOTHING),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_row(build, expected):
    inputs = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(1)) if "cnn" in getattr(build, "__qualname__", "") else None
    judge(build, expected, inputs)


def test_one_finding_for_the_whole_chain():
    report = judge(mlp(20), says("error", at="4.weight", by=DEFAULT))
    assert len(report.at_least("warning")) == 1


@pytest.mark.parametrize("factor", [0.1, 0.3, 1.0, 3.0, 10.0])
def test_conv_batchnorm_relu_at_any_scale(factor):
    inputs = torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    judge(cnn(16, 6, scaled(he(), factor), norm=True), SILENT, inputs)


@pytest.mark.parametrize(("width", "depth"), [(64, 12), (256, 12), (512, 2)])
def test_small_normal_in_a_pre_norm_transformer(width, depth):
    judge(lambda: PreNorm(depth, width, normal(0.02)), NOTHING, torch.randn(8, 6, width))


def test_unit_normal_in_a_pre_norm_transformer():
    report = judge(lambda: PreNorm(4, 64, normal(1.0)), says("warning"), torch.randn(32, 6, 64))
    assert "blocks.0.up.weight" in report.findings[0].parameters


@pytest.mark.parametrize(
    ("init", "level"), [(he(), "warning"), (normal(0.3), "warning"), (normal(0.02), "nothing"), (xavier(), "info"), (default, "nothing")]
)
def test_deep_post_norm_transformer(init, level):
    report = judge(lambda: PreNorm(12, 64, init, post=True), says(level), noise(16, 6, 64))
    if level == "warning":
        assert "blocks.0.down.weight" in report.findings[0].parameters


@pytest.mark.parametrize("init", [he(), he(nonlinearity="linear")])
def test_shallow_post_norm_transformer(init):
    judge(lambda: PreNorm(3, 64, init, post=True), SILENT, noise(16, 6, 64))


def test_xavier_under_gelu_in_a_residual_branch():
    judge(lambda: PreNorm(4, 64, xavier()), SILENT, torch.randn(32, 6, 64))


def test_multihead_attention_default():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            return self.head((x + self.attention(x, x, x)[0]).mean(1))

    judge(Net, SILENT, torch.randn(32, 6, 64))


def test_truncated_normal_without_truncation():
    judge(mlp(3, init=lambda layer: nn.init.trunc_normal_(layer.weight, std=0.02)), SILENT)


def test_a_healthy_copy_is_silent():
    model = mlp(6, init=he())()
    judge(lambda: copy.deepcopy(model), SILENT)


CATALOGUE = {}


@pytest.mark.xfail(reason="waits for the rule of this name", strict=True)
@pytest.mark.parametrize("rule", sorted(set(CATALOGUE.values())))
def test_rows_that_wait_for_their_rule(rule):
    from initcheck.rules import catalogue

    assert rule in {info.name for info in catalogue()}
