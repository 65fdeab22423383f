"""Hyper-parameters, torch's whole list of activations, gated products, maxout and functions without a name."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from initcheck.errors import NotKnown
from initcheck.theory.functions.curves import WITHOUT_GAIN
from initcheck.theory.functions.gated import GATED, gated_facts, maxout_square
from initcheck.theory.functions.nonlinearities import CURVES, filled, known, moments, moments_of
from initcheck.theory.gains import facts_of, gain_facts, required_gain
from tests.unit.theory.gaussian import normal_grid

WITH_PARAMETERS = [
    ("leaky_relu", (0.3,), lambda x: F.leaky_relu(x, 0.3)),
    ("elu", (2.0,), lambda x: F.elu(x, 2.0)),
    ("celu", (0.3,), lambda x: F.celu(x, 0.3)),
    ("softplus", (5.0, 20.0), lambda x: F.softplus(x, 5.0)),
    ("softplus", (2.0, 0.5), lambda x: F.softplus(x, 2.0, 0.5)),
    ("hardtanh", (-0.5, 2.0), lambda x: F.hardtanh(x, -0.5, 2.0)),
    ("threshold", (-0.7, 0.4), lambda x: F.threshold(x, -0.7, 0.4)),
    ("softshrink", (0.2,), lambda x: F.softshrink(x, 0.2)),
    ("hardshrink", (1.5,), lambda x: F.hardshrink(x, 1.5)),
    ("sin", (3.0,), lambda x: torch.sin(3 * x)),
    ("snake", (4.0,), lambda x: x + torch.sin(4 * x).square() / 4),
    ("swish", (2.5,), lambda x: x * torch.sigmoid(2.5 * x)),
]


@pytest.mark.parametrize(("role", "parameter", "function"), WITH_PARAMETERS, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("q", [0.3, 2.0])
def test_hyperparameters_enter_exactly(role, parameter, function, q):
    z = normal_grid(q).requires_grad_()
    value = function(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    found = moments(role, q, parameter)
    assert found.square == pytest.approx(value.square().mean().item(), rel=1e-3)
    assert found.derivative_square == pytest.approx(slope.square().mean().item(), rel=1e-3)
    assert found.mean == pytest.approx(value.mean().item(), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("bounds", [(0.0, 0.9), (0.2, 0.3), (0.5, 0.5)])
def test_random_slopes_enter_with_their_mean_square(bounds):
    torch.manual_seed(0)
    z = normal_grid(1.0)
    value = F.rrelu(z, *bounds, training=True)
    found = moments("rrelu", 1.0, bounds)
    assert found.square == pytest.approx(value.square().mean().item(), rel=2e-3)
    assert found.mean == pytest.approx(value.mean().item(), rel=2e-3)


def test_every_activation_of_torch_is_answered():
    words = {"leakyrelu": "leaky_relu", "logsigmoid": "log_sigmoid", "softmax2d": "softmax", "logsoftmax": "log_softmax"}
    layers = {"MultiheadAttention"}
    for name in nn.modules.activation.__all__:
        if name in layers:
            continue
        word = words.get(name.lower(), name.lower())
        assert known(word) or word in GATED or word in WITHOUT_GAIN, name


@pytest.mark.parametrize("word", sorted(WITHOUT_GAIN))
def test_what_has_no_gain_says_why(word):
    with pytest.raises(NotKnown, match=WITHOUT_GAIN[word][:20]):
        gain_facts(word)


# name, E[h^2], E[(dh/da)^2], E[(dh/db)^2], gain after, d ln V / d ln q
@pytest.mark.parametrize(
    "row",
    [
        ("glu", 0.2934, 0.2934, 0.0448, 1.8462, 1.106),
        ("reglu", 0.5, 0.5, 0.5, 1.4142, 2.0),
        ("geglu", 0.4252, 0.4252, 0.4559, 1.5335, 2.144),
        ("swiglu", 0.3558, 0.3558, 0.3795, 1.6765, 2.173),
        ("bilinear_gate", 1.0, 1.0, 1.0, 1.0, 2.0),
        ("tanh_sigmoid", 0.1157, 0.1362, 0.0177, 2.9402, 0.567),
    ],
)
def test_gated_products(row):
    name, square, value, gate, gain, slope = row
    facts = gated_facts(name)
    assert (facts.square, facts.value_derivative, facts.gate_derivative) == pytest.approx((square, value, gate), abs=6e-5)
    assert facts.forward_gain == pytest.approx(gain, abs=2e-4)
    assert facts.slope == pytest.approx(slope, abs=6e-4)
    assert facts.backward == pytest.approx(value + gate, abs=2e-4)


def test_gated_products_agree_with_torch():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1_000_000, 2, generator=generator)
    assert gated_facts("glu").square == pytest.approx(F.glu(z).square().mean().item(), rel=1e-2)
    with pytest.raises(NotKnown, match="no gated product"):
        gated_facts("relu")


@pytest.mark.parametrize(("pieces", "wanted"), [(1, 1.0), (2, 1.0), (3, 1.2757), (4, 1.5513)])
def test_maxout(pieces, wanted):
    assert maxout_square(pieces) == pytest.approx(wanted, abs=1e-4)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(400_000, pieces, generator=generator).amax(1).square().mean().item()
    assert maxout_square(pieces) == pytest.approx(drawn, rel=2e-2)
    with pytest.raises(NotKnown):
        maxout_square(0)


@pytest.mark.parametrize("role", ["relu", "gelu", "tanh", "hardshrink", "selu", "softplus", "square"])
def test_an_unknown_function_is_integrated_itself(role):
    shape, numbers = CURVES[role], filled(role)
    facts = facts_of(lambda x: shape.value(x, *numbers), lambda x: shape.slope(x, *numbers))
    wanted = gain_facts(role)
    assert facts.role == "custom"
    assert (facts.mean, facts.square, facts.derivative_square) == pytest.approx(
        (wanted.mean, wanted.square, wanted.derivative_square), rel=1e-6, abs=1e-9
    )
    assert facts.slope == pytest.approx(wanted.slope, abs=1e-4)
    assert facts.recommended == pytest.approx(wanted.forward_gain, rel=1e-6)


def test_the_slope_of_an_unknown_function_is_measured():
    assert moments_of(math.tanh, 1.0).derivative_square == pytest.approx(moments("tanh", 1.0).derivative_square, rel=1e-6)
    assert moments_of(lambda x: max(x, 0.0), 1.0).derivative_square == pytest.approx(0.5, rel=1e-3)
    assert math.isnan(moments_of(lambda x: math.copysign(1.0, x), 1.0).derivative_square)
    with pytest.raises(NotKnown, match="the function is inf"):
        moments_of(lambda x: math.inf, 1.0)


def test_a_run_speaks_for_what_has_no_name():
    assert required_gain("custom:mine", (), 0.25) == 2.0
    assert required_gain("relu", (), 0.25) == pytest.approx(math.sqrt(2))
    assert required_gain("custom:cos") == gain_facts("cos").recommended
    with pytest.raises(NotKnown):
        required_gain("custom:mine")


def test_too_many_hyperparameters_are_refused():
    assert filled("hardtanh", -2.0) == (-2.0, 1.0)
    with pytest.raises(NotKnown, match="hyper-parameters"):
        filled("leaky_relu", (0.1, 0.2))
