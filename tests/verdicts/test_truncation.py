"""When the bounds of a truncated normal distribution are worth a word."""

import pytest
import torch
from torch import nn

import initcheck


def found(factory, **arguments):
    def model():
        net = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 32))
        factory(net[1].weight, **arguments)
        return net

    report = initcheck.check(model, torch.randn(8, 64))
    return [finding for finding in report.findings if finding.code == "IC206"]


def test_bounds_that_cut_nothing():
    (finding,) = found(nn.init.trunc_normal_, std=0.02)
    assert finding.severity == "info"
    assert "100 standard deviations" in finding.observed
    assert dict(finding.fix.call.kwargs)["a"] == pytest.approx(-0.04)


def test_bounds_that_change_the_std():
    (finding,) = found(nn.init.trunc_normal_, std=2.0, a=-2.0, b=2.0)
    assert "from 2 to 1.08" in finding.message


@pytest.mark.parametrize("arguments", [{}, {"std": 0.02, "a": -0.04, "b": 0.04}, {"std": 0.02, "a": -0.06, "b": 0.06}, {"std": 0.5}])
def test_usual_cuts_are_silent(arguments):
    assert found(nn.init.trunc_normal_, **arguments) == []


def test_a_rescaled_weight_is_silent():
    def rescaled(weight):
        nn.init.trunc_normal_(weight, std=0.02)
        with torch.no_grad():
            weight.mul_(0.5)

    assert found(rescaled) == []


def test_a_plain_normal_is_silent():
    assert found(nn.init.normal_, std=0.02) == []
