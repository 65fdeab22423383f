"""Recommendations hold what they promise."""

import math

import pytest
import torch
from torch import nn

from initcheck.errors import NotKnown
from initcheck.theory.advice.recommend import recommendation
from initcheck.theory.functions.nonlinearities import CURVES
from initcheck.theory.gains import gain_facts
from initcheck.theory.schemes import named_nonlinearity, scheme_gain

PLACES = ("recurrent", "transformer", "residual", "output", "embedding", "siren", "norm")


def has_regime(role):
    try:
        return gain_facts(role).recommended > 0
    except NotKnown:
        return False


@pytest.mark.parametrize("role", sorted(role for role in CURVES if has_regime(role)))
def test_the_recommended_call_gives_an_accepted_gain(role):
    advice = recommendation(role)
    facts = gain_facts(role)
    gain = scheme_gain(advice.call, (100, 100), 100)
    assert facts.lowest <= gain <= facts.highest
    assert gain == pytest.approx(advice.gain, rel=1e-3)


@pytest.mark.parametrize("role", [*CURVES, *PLACES, "custom:pow", "softmax"])
def test_every_recommendation_says_why_and_whence(role):
    advice = recommendation(role)
    assert advice.scheme
    assert advice.reason
    assert advice.source
    assert advice.call is None or hasattr(nn.init, advice.call.name)


@pytest.mark.parametrize("role", [*CURVES, *PLACES])
def test_every_recommended_call_runs_in_torch(role):
    call = recommendation(role).call
    if call is not None:
        assert torch.isfinite(getattr(nn.init, call.name)(torch.empty(16, 8), **dict(call.kwargs))).all()


@pytest.mark.parametrize(
    ("role", "scheme", "gain"),
    [
        ("relu", "kaiming_normal_(nonlinearity='relu')", math.sqrt(2)),
        ("gelu", "kaiming_normal_(nonlinearity='relu')", math.sqrt(2)),
        ("selu", "kaiming_normal_(nonlinearity='linear')", 1.0),
        ("tanh", "xavier_normal_()", 1.0),
        ("sigmoid", "xavier_normal_(gain=4)", 4.0),
        ("leaky_relu", "kaiming_normal_(a=0.01, nonlinearity='leaky_relu')", nn.init.calculate_gain("leaky_relu")),
        ("tanhshrink", "a normalization layer before it", None),
        ("custom:pow", "std = g / sqrt(fan_in) with g = 1 / sqrt(E[phi(z)^2])", None),
    ],
)
def test_the_table(role, scheme, gain):
    advice = recommendation(role)
    assert (advice.scheme, advice.gain) == (scheme, None if gain is None else pytest.approx(gain))


def test_the_negative_slope_reaches_the_call():
    advice = recommendation("leaky_relu", 0.2)
    assert advice.call.argument("a") == 0.2
    assert named_nonlinearity(advice.call) == "leaky_relu"
    assert advice.gain == pytest.approx(nn.init.calculate_gain("leaky_relu", 0.2))
    assert recommendation("leaky_relu", math.nan).call.argument("a") == 0.01


def test_siren_frequency():
    assert recommendation("siren").gain == pytest.approx(math.sqrt(2) / 30)
    assert "1 / fan_in" in recommendation("siren", 10.0).scheme
