"""Biases and gates in their places: what is a fault in one is a good start in another."""

import math

import pytest
import torch
from torch import nn

from tests.verdicts.builders import Residual, default, he, mlp
from tests.verdicts.verdict import NOTHING, SILENT, judge, says

BY_DEPTH = [
    (4, -0.3, NOTHING),
    (9, -0.3, says("warning", "error", at="10.bias", by="dying-bias")),
    (4, 2.0, NOTHING),
    (4, 5.0, says("warning", "error", at="0.bias", by="large-bias")),
]


@pytest.mark.parametrize(("depth", "value", "expected"), BY_DEPTH)
def test_constant_hidden_biases(depth, value, expected):
    judge(mlp(depth, init=he(), bias=value, head=default), expected)


def test_a_large_bias_before_a_residual_sum():
    def build():
        branch = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))
        nn.init.constant_(branch[3].bias, 5.0)
        return nn.Sequential(nn.Linear(64, 64), Residual(branch), nn.LayerNorm(64), nn.Linear(64, 10))

    judge(build, says("info", "warning", at="1.branch.3.bias", by="large-bias"))


def class_prior(model):
    share = torch.tensor([0.9, 0.05, 0.02, 0.01, 0.01, 0.005, 0.003, 0.001, 0.0005, 0.0005])
    model[-1].bias.copy_(share.log())


def test_class_prior():
    judge(mlp(3, init=he(), edit=class_prior), NOTHING)


def test_wide_random_hidden_biases():
    judge(
        mlp(3, init=he(), bias=lambda b: nn.init.normal_(b, std=8.0), head=default), says("info", "warning", at="0.bias", by="random-bias")
    )


def test_random_biases_before_batch_normalization():
    judge(mlp(3, init=he(), bias=lambda b: nn.init.normal_(b, std=8.0), head=default, norm=nn.BatchNorm1d), NOTHING)


class Fourier(nn.Module):
    """Random Fourier features."""

    def __init__(self):
        super().__init__()
        self.features, self.head = nn.Linear(8, 64), nn.Linear(64, 4)
        nn.init.normal_(self.features.weight, std=0.2)
        nn.init.uniform_(self.features.bias, -math.pi, math.pi)

    def forward(self, x):
        return self.head(torch.cos(self.features(x)))


def test_random_phases():
    report = judge(Fourier, SILENT, torch.randn(32, 8))
    assert "random-bias" not in {finding.name for finding in report.findings}


def convolution(norm, *, bias=0.5, skip=False):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.head = nn.Conv2d(3, 16, 3, padding=1), norm(16), nn.Linear(16, 4)
            if bias is not None:
                nn.init.constant_(self.conv.bias, bias)

        def forward(self, x):
            x = self.conv(x)
            y = self.norm(x)
            return self.head(torch.relu(x + y if skip else y).mean((2, 3)))

    return Net


def group_norm(channels):
    return nn.GroupNorm(4, channels)


def instance_norm(channels):
    return nn.InstanceNorm2d(channels, affine=True)


BEFORE_NORM = [
    ("batch", convolution(nn.BatchNorm2d), says("info", at="conv.bias", by="bias-before-norm")),
    ("instance", convolution(instance_norm), says("info", at="conv.bias", by="bias-before-norm")),
    ("group", convolution(group_norm), NOTHING),
    ("default", convolution(nn.BatchNorm2d, bias=None), NOTHING),
    ("zero", convolution(nn.BatchNorm2d, bias=0.0), NOTHING),
    ("also-elsewhere", convolution(nn.BatchNorm2d, skip=True), NOTHING),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in BEFORE_NORM], ids=[row[0] for row in BEFORE_NORM])
def test_convolution_bias_before_a_normalization(build, expected):
    judge(build, expected, torch.randn(16, 3, 8, 8))


class Gated(nn.Module):
    """gate(x) times inner(x), in several settings."""

    def __init__(self, bias, *, normed=False, skip=False, act=torch.sigmoid, frozen=False, raw=False):
        super().__init__()
        self.stem, self.inner, self.gate, self.head = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 10)
        self.norm = nn.BatchNorm1d(32) if normed else nn.Identity()
        nn.init.constant_((self.norm if normed else self.gate).bias, bias)
        self.act, self.skip, self.raw = act, skip, raw
        if frozen:
            self.inner.requires_grad_(False)

    def forward(self, x):
        y = x if self.raw else self.inner(x)
        y = self.act(self.norm(self.gate(x))) * y
        if self.raw:
            y = y + self.inner(x)
        return self.head(torch.tanh(self.stem(x)) + y if self.skip else y)


GATES = [
    ("closed", lambda: Gated(-5.0), says("warning", "error", at="gate.bias", by="saturating-gate-bias")),
    ("closed-beside-another-path", lambda: Gated(-5.0, skip=True), says("warning", at="gate.bias", by="saturating-gate-bias")),
    ("closed-by-the-norm", lambda: Gated(-6.0, normed=True, skip=True), says("warning", at="norm.bias", by="saturating-gate-bias")),
    ("hard", lambda: Gated(-5.0, skip=True, act=nn.functional.hardsigmoid), says("warning", "error", at="gate.bias")),
    ("frozen-behind", lambda: Gated(-5.0, skip=True, frozen=True), SILENT),
    ("nothing-behind", lambda: Gated(-5.0, skip=True, raw=True), SILENT),
    ("ajar", lambda: Gated(-3.0, skip=True), NOTHING),
    ("open", lambda: Gated(5.0, skip=True), NOTHING),
    ("tanh", lambda: Gated(0.0, skip=True, act=torch.tanh), NOTHING),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in GATES], ids=[row[0] for row in GATES])
def test_gates(build, expected):
    judge(build, expected, torch.randn(32, 32))


class Heads(nn.Module):
    """Three heads of one shape on one body."""

    def __init__(self, biases, names=("0", "1", "2")):
        super().__init__()
        self.body = nn.Conv2d(3, 16, 3, padding=1)
        self.heads = nn.ModuleDict({name: nn.Conv2d(16, 8, 1) for name in names})
        for head, value in zip(self.heads.values(), biases, strict=True):
            if value is not None:
                nn.init.constant_(head.bias, value)

    def forward(self, x):
        x = torch.relu(self.body(x))
        return [head(x) for head in self.heads.values()]


PRIORS = [
    ("one-without", lambda: Heads((-4.6, -4.6, 0.0)), says("info", at="heads.2.bias", by="prior-bias-missing")),
    ("one-default", lambda: Heads((-4.6, -4.6, None)), says("info", at="heads.2.bias", by="prior-bias-missing")),
    ("all", lambda: Heads((-4.6, -4.6, -4.6)), NOTHING),
    ("none", lambda: Heads((0.0, 0.0, 0.0)), NOTHING),
    ("scores-and-boxes", lambda: Heads((-4.6, 0.0, 0.0), names=("scores", "boxes", "centres")), NOTHING),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in PRIORS], ids=[row[0] for row in PRIORS])
def test_priors(build, expected):
    judge(build, expected, torch.randn(8, 3, 16, 16))


def test_uniform_small_biases_of_a_residual_net():
    def build():
        parts = [Residual(nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64))) for _ in range(4)]
        model = nn.Sequential(nn.Linear(64, 64), *parts, nn.LayerNorm(64), nn.Linear(64, 10))
        for module in model.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.constant_(module.bias, 0.02)
        return model

    judge(build, NOTHING)
