"""Draws in bfloat16 and float16: torch's own are sound, inverse error functions by hand are not."""

import math

import pytest
import torch
from torch import nn

import initcheck

HALVES = [torch.bfloat16, torch.float16]


def by_hand(weight, std=0.02, a=-2.0, b=2.0):
    low, high = math.erf(a / std / math.sqrt(2)), math.erf(b / std / math.sqrt(2))
    with torch.no_grad():
        weight.uniform_(low, high).erfinv_().mul_(std * math.sqrt(2)).clamp_(a, b)


def trunc_normal_(tensor, std=0.02, a=-2.0, b=2.0):
    by_hand(tensor, std, a, b)


def found(init, dtype):
    def model():
        net = nn.Sequential(nn.LayerNorm(256), nn.Linear(256, 256))
        drawn = nn.Parameter(torch.empty(256, 256, dtype=dtype))
        init(drawn)
        net[1].weight = nn.Parameter(drawn.detach().float())
        return net

    report = initcheck.check(model, torch.randn(8, 256))
    assert not report.all_failures
    return [finding for finding in report.at_least("warning")]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("init", [by_hand, trunc_normal_])
def test_an_inverse_error_function_by_hand(init, dtype):
    (finding,) = found(init, dtype)
    assert (finding.code, finding.parameters) == ("IC207", ("1.weight",))
    assert "of 65,536 elements" in finding.observed


def test_a_low_precision_model():
    def model():
        net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8)).bfloat16()
        by_hand(net[0].weight)
        return net

    report = initcheck.check(model, torch.randn(16, 64).bfloat16())
    assert [finding.code for finding in report.at_least("warning")] == ["IC207"]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    "init",
    [
        nn.init.normal_,
        lambda weight: nn.init.normal_(weight, std=0.02),
        lambda weight: nn.init.trunc_normal_(weight, std=0.02),
        lambda weight: nn.init.trunc_normal_(weight, std=0.02, a=-0.04, b=0.04),
        nn.init.uniform_,
        nn.init.kaiming_normal_,
        nn.init.kaiming_uniform_,
        lambda weight: by_hand(weight, a=-0.04, b=0.04),
    ],
)
def test_torch_draws_are_sound(init, dtype):
    assert not [finding for finding in found(init, dtype) if finding.code == "IC207"]


def test_float32_by_hand_is_sound():
    assert found(by_hand, torch.float32) == []


def test_an_identity_with_noise_is_silent():
    def noisy(weight):
        nn.init.eye_(weight)
        with torch.no_grad():
            weight.add_(0.001 * torch.randn(weight.shape).to(weight.dtype))

    assert found(noisy, torch.bfloat16) == []


def test_heavy_tails_on_purpose_are_silent():
    def cauchy(weight):
        with torch.no_grad():
            weight.copy_(0.001 * torch.empty(256, 256).cauchy_().clamp(-50, 50))

    assert not [finding for finding in found(cauchy, torch.bfloat16) if finding.code == "IC207"]


def test_elements_set_on_purpose_are_silent():
    def marked(weight):
        nn.init.trunc_normal_(weight, std=0.02)
        with torch.no_grad():
            weight[0, :5] = 2.0

    assert found(marked, torch.bfloat16) == []
