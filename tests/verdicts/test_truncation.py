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


def widened(weight, gain=1.0):
    std = gain / weight.shape[1] ** 0.5 / 0.87962566103423978
    nn.init.trunc_normal_(weight, std=std)


def test_a_std_widened_for_a_cut_that_never_happens():
    (finding,) = found(widened)
    assert finding.severity == "info"
    assert "1.137 times too large" in finding.message
    assert "1/sqrt(fan_in 64)" in finding.observed


def test_a_widened_std_that_is_cut_is_silent():
    def cut(weight):
        std = 1.0 / 8.0 / 0.87962566103423978
        nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)

    assert found(cut) == []


def chain(depth, init):
    def model():
        net = nn.Sequential(*[nn.Linear(128, 128, bias=False) for _ in range(depth)])
        for layer in net:
            init(layer.weight)
        return net

    return initcheck.check(model, torch.randn(16, 128, generator=torch.Generator().manual_seed(1))).at_least("warning")


def test_the_widened_std_compounds_in_a_deep_chain():
    (finding,) = chain(20, widened)
    assert (finding.code, finding.severity) == ("IC206", "warning")
    assert len(finding.parameters) == 20


def test_a_shallow_chain_of_widened_stds_is_no_warning():
    assert chain(4, widened) == ()


def test_a_library_that_widens_is_told_of():
    initialization = pytest.importorskip("transformers.initialization")
    (finding,) = found(initialization.lecun_normal_)
    assert "1.137 times too large" in finding.message
