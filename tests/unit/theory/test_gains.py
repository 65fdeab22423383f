"""Gains against published numbers and against torch's own modules."""

import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from benchmarks.gains import FUNCTIONS as MODULES
from initcheck.errors import NotKnown
from initcheck.theory.functions.nonlinearities import CURVES, canonical, known, moments
from initcheck.theory.gains import (
    calculate_gain,
    derivative_square,
    gain_facts,
    mean_fraction,
    second_moment_ratio,
    zero_gradient_at_zero,
)
from tests.unit.theory.gaussian import normal_grid

NONE = None
# role, parameter, E[phi], E[phi^2], E[phi'^2], forward gain, backward gain, slope, fixed point, torch's gain, recommended, lowest, highest
TABLE = [
    ("linear", None, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, "neutral", 1.0, 1.0, 0.88, 1.13),
    ("relu", None, 0.3989, 0.5, 0.5, 1.4142, 1.4142, 1.0, "neutral", 1.4142, 1.4142, 1.24, 1.60),
    ("leaky_relu", 0.01, 0.3950, 0.5, 0.5, 1.4141, 1.4141, 1.0, "neutral", 1.4141, 1.4141, 1.24, 1.60),
    ("leaky_relu", 0.1, 0.3590, 0.5050, 0.5050, 1.4072, 1.4072, 1.0, "neutral", 1.4072, 1.4072, 1.24, 1.59),
    ("leaky_relu", 0.2, 0.3192, 0.52, 0.52, 1.3867, 1.3867, 1.0, "neutral", 1.3867, 1.3867, 1.22, 1.57),
    ("leaky_relu", 0.3, 0.2793, 0.545, 0.545, 1.3546, 1.3546, 1.0, "neutral", 1.3546, 1.3546, 1.19, 1.53),
    ("prelu", None, 0.2992, 0.5312, 0.5312, 1.3720, 1.3720, 1.0, "neutral", None, 1.3720, 1.21, 1.55),
    ("rrelu", None, 0.3075, 0.5281, 0.5281, 1.3761, 1.3761, 1.0, "neutral", None, 1.3761, 1.21, 1.56),
    ("elu", None, 0.1605, 0.6449, 0.6681, 1.2452, 1.2234, 0.8910, "stable", None, 1.2452, 1.0, 1.41),
    ("elu", 0.5, 0.2797, 0.5362, 0.5420, 1.3656, 1.3583, 0.9672, "stable", None, 1.3656, 1.20, 1.54),
    ("elu", 2.0, -0.0779, 1.0798, 1.1724, 0.9623, 0.9235, 0.7395, "stable", None, 0.9623, 0.85, 1.09),
    ("selu", None, 0.0, 1.0, 1.0716, 1.0, 0.9660, 0.7826, "stable", 0.75, 1.0, 0.75, 1.10),
    ("celu", None, 0.1605, 0.6449, 0.6681, 1.2452, 1.2234, 0.8910, "stable", None, 1.2452, 1.0, 1.41),
    ("celu", 0.5, 0.2330, 0.5646, 0.5944, 1.3309, 1.2971, 0.9224, "stable", None, 1.3309, 1.17, 1.50),
    ("celu", 2.0, 0.0982, 0.7494, 0.7616, 1.1552, 1.1459, 0.8988, "stable", None, 1.1552, 1.02, 1.31),
    ("gelu", None, 0.2821, 0.4252, 0.4559, 1.5335, 1.4811, 1.1441, "unstable", None, 1.5335, 1.41, 1.60),
    ("gelu_tanh", None, 0.2820, 0.4252, 0.4558, 1.5336, 1.4812, 1.1443, "unstable", None, 1.5336, 1.41, 1.60),
    ("quick_gelu", None, 0.2823, 0.4220, 0.4495, 1.5395, 1.4915, 1.1365, "unstable", None, 1.5395, 1.41, 1.60),
    ("silu", None, 0.2066, 0.3558, 0.3795, 1.6765, 1.6233, 1.1726, "unstable", None, 1.6765, 1.41, 1.75),
    ("mish", None, 0.2404, 0.4523, 0.4791, 1.4868, 1.4448, 1.0763, "unstable", None, 1.4868, 1.41, 1.60),
    ("softplus", None, 0.8061, 0.9212, 0.2934, 1.0419, 1.8462, 0.4921, "stable", None, 1.8462, 1.0, 2.0),
    ("softplus", 0.5, 1.4470, 2.3507, 0.2640, 0.6522, 1.9464, 0.1846, "stable", None, 0.6522, 0.57, 0.74),
    ("softplus", 2.0, 0.5339, 0.5824, 0.3486, 1.3103, 1.6938, 0.8230, "stable", None, 1.3103, 1.15, 1.48),
    ("softplus", 100.0, 0.3990, 0.5, 0.4960, 1.4142, 1.4199, 1.0, "neutral", None, 1.4142, 1.24, 1.60),
    ("softsign", None, 0.0, 0.1830, 0.2277, 2.3375, 2.0958, 0.4767, "stable", None, 1.0, 0.90, 2.34),
    ("tanh", None, 0.0, 0.3943, 0.4644, 1.5925, 1.4674, 0.4611, "stable", 1.6667, 1.0, 0.90, 1.67),
    ("sigmoid", None, 0.5, 0.2934, 0.0448, 1.8462, 4.7226, 0.1063, "stable", 1.0, 4.0, 1.0, 6.0),
    ("hardtanh", None, 0.0, 0.5161, 0.6827, 1.3920, 1.2103, 0.3851, "stable", None, 1.0, 0.90, 1.39),
    ("relu6", None, 0.3989, 0.5, 0.5, 1.4142, 1.4142, 1.0, "neutral", None, 1.4142, 1.38, 1.46),
    ("hardswish", None, 0.1662, 0.3316, 0.3585, 1.7367, 1.6701, 1.2239, "unstable", None, 1.7367, 1.41, 1.80),
    ("hardsigmoid", None, 0.5, 0.2776, 0.0277, 1.8978, 6.0081, 0.0971, "stable", None, 6.0, 1.0, 7.0),
    ("log_sigmoid", None, -0.8061, 0.9212, 0.2934, 1.0419, 1.8462, 0.4921, "stable", None, 1.8462, 1.0, 2.0),
    ("tanhshrink", None, 0.0, 0.1829, 0.2530, 2.3384, 1.9881, 1.8262, "unstable", None, NONE, NONE, NONE),
    ("softshrink", None, 0.0, 0.4193, 0.6171, 1.5444, 1.2730, 1.4718, "unstable", None, NONE, NONE, NONE),
    ("hardshrink", None, 0.0, 0.9691, 0.6171, 1.0158, 1.2730, 1.0454, "unstable", None, NONE, NONE, NONE),
    ("sin", None, 0.0, 0.4323, 0.5677, 1.5209, 1.3273, 0.3130, "stable", None, 1.0, 0.90, 1.52),
    ("sin", 30.0, 0.0, 0.5, 450.0, 1.4142, 0.0471, 0.0, "stable", None, 1.4142, 1.24, 1.60),
    ("cos", None, 0.6065, 0.5677, 0.4323, 1.3273, 1.5209, -0.2384, "stable", None, 1.3273, 1.0, 1.60),
    ("relu2", None, 0.5, 1.5, 2.0, 0.8165, 0.7071, 2.0, "unstable", None, 0.8165, 0.75, 0.90),
    ("erf", None, 0.0, 0.4646, 0.5694, 1.4672, 1.3252, 0.4086, "stable", None, 0.8862, 0.80, 1.47),
    ("atan", None, 0.0, 0.4497, 0.5, 1.4912, 1.4142, 0.5608, "stable", None, 1.0, 0.90, 1.49),
    ("abs", None, 0.7979, 1.0, 1.0, 1.0, 1.0, 1.0, "neutral", None, 1.0, 0.88, 1.13),
    ("exp", None, 1.6487, 7.3891, 7.3891, 0.3679, 0.3679, 2.0, "unstable", None, 0.3679, 0.32, 0.42),
    ("square", None, 1.0, 3.0, 4.0, 0.5774, 0.5, 2.0, "unstable", None, 0.5774, 0.51, 0.65),
    ("threshold", None, 0.3989, 0.5, 0.5, 1.4142, 1.4142, 1.0, "neutral", None, 1.4142, 1.24, 1.60),
    ("threshold", (0.1, 20.0), 11.1935, 216.4310, 0.4602, 0.0680, 1.4741, -0.0344, "stable", None, 0.0680, 0.06, 0.08),
    ("star_relu", None, 0.0, 0.9999, 1.5999, 1.0, 0.7906, 2.0, "unstable", None, 1.0, 0.88, 1.13),
    ("swish", 1.702, 0.2823, 0.4220, 0.4495, 1.5395, 1.4915, 1.1365, "unstable", None, 1.5395, 1.35, 1.74),
    ("lecun_tanh", None, 0.0, 0.7504, 0.8040, 1.1544, 1.1153, 0.6154, "stable", None, 1.1544, 1.02, 1.30),
    ("snake", None, 0.4323, 1.3074, 1.4998, 0.8746, 0.8165, 0.8682, "stable", None, 0.8746, 0.77, 0.99),
    ("gaussian", None, 0.5774, 0.4472, 0.3578, 1.4953, 1.6719, -0.4, "stable", None, 1.4953, 1.32, 1.69),
]


def test_every_curve_is_measured_against_torch_below():
    assert set(MODULES) == set(CURVES)
    assert {row[0] for row in TABLE} == set(CURVES)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_published_table(row):
    role, parameter, mean, square, derivative, forward, backward, slope, kind, torch_gain, *band = row
    facts = gain_facts(role, parameter)
    for measured, wanted in [(facts.mean, mean), (facts.square, square), (facts.derivative_square, derivative), (facts.slope, slope)]:
        assert measured == pytest.approx(wanted, abs=6e-5)
    assert (facts.forward_gain, facts.backward_gain) == pytest.approx((forward, backward), abs=6e-5)
    assert facts.fixed_point == kind
    assert facts.torch_gain == (None if torch_gain is None else pytest.approx(torch_gain, abs=6e-5))
    if band[0] is None:
        with pytest.raises(NotKnown, match="no gain"):
            _ = facts.recommended
    else:
        assert (facts.recommended, facts.lowest, facts.highest) == pytest.approx(band, abs=6e-3)
        assert facts.lowest < facts.recommended < facts.highest


@pytest.mark.parametrize("q", [0.05, 1.0, 7.0])
@pytest.mark.parametrize("role", sorted(MODULES))
def test_moments_agree_with_torch(role, q):
    if role == "exp" and q > 1:
        pytest.skip("a million samples do not see the tail that carries E[exp(z)^2]")
    torch.manual_seed(0)
    z = normal_grid(q).requires_grad_()
    value = MODULES[role](z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    found = moments(role, q)
    assert found.square == pytest.approx(value.square().mean().item(), rel=5e-3)
    assert found.derivative_square == pytest.approx(slope.square().mean().item(), rel=5e-3)
    assert found.mean == pytest.approx(value.mean().item(), rel=5e-3, abs=2e-3)


@pytest.mark.parametrize("role", sorted(set(MODULES) - {"prelu", "rrelu"}))
def test_slope_at_zero_is_what_autograd_says(role):
    zero = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(MODULES[role](zero).sum(), zero)
    assert zero_gradient_at_zero(role) == (slope.item() == 0.0)


def test_dead_at_zero_depends_on_the_negative_slope():
    assert zero_gradient_at_zero("leaky_relu", 0.0)
    assert not zero_gradient_at_zero("prelu")
    assert zero_gradient_at_zero("threshold")


@pytest.mark.parametrize("word", ["linear", "conv2d", "conv_transpose1d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"])
def test_calculate_gain_is_torchs(word):
    assert calculate_gain(word) == pytest.approx(nn.init.calculate_gain(word))
    assert calculate_gain("leaky_relu", 0.2) == pytest.approx(nn.init.calculate_gain("leaky_relu", 0.2))


@pytest.mark.parametrize("word", ["gelu", "elu", "prelu", "hardtanh"])
def test_calculate_gain_is_missing_where_torch_raises(word):
    with pytest.raises(ValueError, match="Unsupported"):
        nn.init.calculate_gain(word)
    assert calculate_gain(word) is None
    assert gain_facts(word).torch_verdict == "missing"


def test_verdicts_on_torchs_gains():
    assert {role: gain_facts(role).torch_verdict for role in ("relu", "leaky_relu", "linear", "tanh", "selu", "sigmoid")} == {
        "relu": "right",
        "leaky_relu": "right",
        "linear": "right",
        "tanh": "wrong",
        "selu": "wrong",
        "sigmoid": "wrong",
    }


@pytest.mark.parametrize("role", ["custom:pow", "softmax", "batch_norm", ""])
def test_unknown_roles_are_refused_with_a_reason(role):
    assert not known(role)
    with pytest.raises(NotKnown, match="not known"):
        gain_facts(role)
    with pytest.raises(NotKnown):
        zero_gradient_at_zero(role)


@pytest.mark.parametrize("q", [0.0, -1.0, math.nan, math.inf])
def test_impossible_second_moments_are_refused(q):
    with pytest.raises(NotKnown):
        second_moment_ratio("gelu", q)


@given(q=st.floats(1e-4, 1e4), slope=st.floats(0.0, 1.0))
def test_homogeneous_nonlinearities_do_not_see_the_scale(q, slope):
    assert second_moment_ratio("leaky_relu", q, slope) == pytest.approx((1 + slope**2) / 2)
    assert derivative_square("leaky_relu", q, slope) == pytest.approx((1 + slope**2) / 2)


@settings(deadline=None, max_examples=30)
@given(q=st.floats(1e-3, 1e4))
def test_quadrature_agrees_with_closed_forms(q):
    assert moments("elu", q, 1e-12).square == pytest.approx(q / 2, rel=1e-7)
    assert moments("hardtanh", q, (-1e6, 1e6)).square == pytest.approx(q, rel=1e-7)
    assert moments("celu", q, 1.0).square == pytest.approx(moments("elu", q, 1.0).square, rel=1e-9)
    assert moments("sigmoid", q).mean == pytest.approx(0.5, rel=1e-9)
    assert moments("log_sigmoid", q).square == pytest.approx(moments("softplus", q).square, rel=1e-9)
    assert mean_fraction("tanh", q) < 1e-20


def test_saturation_at_the_ends():
    assert second_moment_ratio("gelu", 1e-6) == pytest.approx(0.25, rel=1e-2)
    assert second_moment_ratio("gelu", 1e6) == pytest.approx(0.5, rel=1e-2)
    assert moments("tanh", 1e6).square == pytest.approx(1.0, rel=1e-2)


def test_aliases_and_default_parameters():
    assert canonical("identity") == "linear"
    assert gain_facts("swish").forward_gain == gain_facts("silu").forward_gain
    assert gain_facts("leaky_relu", math.nan) == gain_facts("leaky_relu")


def test_the_maths_needs_no_heavy_library():
    code = (
        "import initcheck.theory.reference, initcheck.theory.identify, sys; print([m for m in ('numpy', 'scipy', 'torch') if m in sys.modules]);"
        "import initcheck.theory.gains as g; g.gain_facts('gelu'); print('torch' in sys.modules, 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False False"]
