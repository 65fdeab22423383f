"""Scale where the curve decides: sines, maxima of pieces, and stacks too deep for the default start."""

import pytest
import torch
from torch import nn

from tests.verdicts.builders import linears, mlp, sqrt
from tests.verdicts.verdict import NOTHING, SILENT, judge, says

DEFAULT = "default-under-depth"
ROWS = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(30.0 * x)


def siren(hidden, first=None):
    def build():
        parts = []
        for index in range(4):
            layer = nn.Linear(2 if index == 0 else 128, 128)
            if hidden is not None:
                bound = first if index == 0 else hidden
                nn.init.uniform_(layer.weight, -bound, bound)
            parts += [layer, Sine()]
        head = nn.Linear(128, 1)
        if hidden is not None:
            nn.init.uniform_(head.weight, -hidden, hidden)
        return nn.Sequential(*parts, head)

    return build


COORDINATES = torch.rand(128, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_siren_bounds():
    judge(siren(sqrt(6 / 128) / 30, 1 / 2), NOTHING, COORDINATES)


def test_siren_default_is_told_of_its_bounds():
    report = judge(siren(None), says("warning", "error", at="2.weight", by=DEFAULT), COORDINATES)
    assert "sqrt(6 / fan_in) / 30" in report.findings[0].fix.title
    assert "sin(30 x)" in report.findings[0].observed


def test_siren_under_a_scheme_for_other_curves():
    def build():
        model = siren(None)()
        for layer in linears(model):
            nn.init.xavier_uniform_(layer.weight)
        return model

    report = judge(build, says("error", at="2.weight", by="scheme-nonlinearity-mismatch"), COORDINATES)
    assert "sqrt(6 / fan_in) / 30" in report.findings[0].fix.title


class Maxout(nn.Module):
    def __init__(self, pieces, gain):
        super().__init__()
        self.pieces, self.inner = pieces, nn.Linear(64, 64 * pieces)
        if gain is not None:
            nn.init.normal_(self.inner.weight, std=gain / 8)
            nn.init.zeros_(self.inner.bias)

    def forward(self, x):
        return self.inner(x).unflatten(-1, (64, self.pieces)).amax(-1)


def maxout(layers, pieces, gain):
    return lambda: nn.Sequential(*[Maxout(pieces, gain) for _ in range(layers)], nn.Linear(64, 10))


@pytest.mark.parametrize(("layers", "pieces", "gain"), [(8, 2, 1.0), (6, 3, 0.885), (3, 5, 0.745)])
def test_maxout_at_its_gain(layers, pieces, gain):
    judge(maxout(layers, pieces, gain), SILENT, ROWS)


def test_maxout_at_the_gain_of_relu():
    report = judge(maxout(10, 5, sqrt(2)), says("error", at="2.inner.weight", by="weight-too-large"), ROWS)
    assert "gain=0.745" in report.findings[0].fix.title


def test_maxout_default():
    report = judge(maxout(12, 2, None), says("warning", "error", at="2.inner.weight", by=DEFAULT), ROWS)
    assert "maxout needs 1" in report.findings[0].observed


@pytest.mark.parametrize("layers", [5, 8, 12])
def test_default_under_depth_is_one_finding(layers):
    report = judge(mlp(layers), says("nothing", "info", "warning") if layers == 5 else says("error", at="4.weight", by=DEFAULT))
    assert len(report.at_least("warning")) <= 1


def test_a_sigmoid_stack_is_sent_to_gain_4_or_a_normalization():
    report = judge(mlp(8, act=nn.Sigmoid), says("error", at="2.weight", by=DEFAULT))
    assert "gain=4" in report.findings[0].fix.title and "normalization" in report.findings[0].fix.title
