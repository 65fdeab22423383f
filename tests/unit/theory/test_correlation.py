"""The correlation map against published values, an independent quadrature, and what must hold for every nonlinearity."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initcheck.errors import NotKnown
from initcheck.theory.correlation import correlation_after, correlation_fixed_point, correlation_map, joint_moment
from initcheck.theory.functions.nonlinearities import curve, filled, moments
from initcheck.theory.mean_field import chi_1, fixed_point

ROLES = (
    "linear",
    "relu",
    "leaky_relu",
    "abs",
    "elu",
    "selu",
    "gelu",
    "silu",
    "tanh",
    "sigmoid",
    "softplus",
    "erf",
    "sin",
    "cos",
    "hardtanh",
    "square",
)


def polar(role, q, c):
    """E[phi(u1) phi(u2)] over angle and radius, the angles cut where one of the two inputs changes its sign."""
    shape, apart = curve(role), math.acos(c)
    cuts = sorted({-math.pi / 2, math.pi / 2, apart - math.pi / 2, apart + math.pi / 2, 1.5 * math.pi})
    (turns, turned), (steps, stepped) = np.polynomial.legendre.leggauss(16), np.polynomial.legendre.leggauss(64)
    radii, total = 5.5 * (steps + 1.0), 0.0
    shares = 5.5 * stepped * radii * np.exp(-(radii**2) / 2)
    phi = np.vectorize(lambda x: shape.value(x, *filled(role)), otypes=[float])
    for low, high in zip(cuts[:-1], cuts[1:], strict=True):
        for turn, share in zip((low + high) / 2 + (high - low) / 2 * turns, (high - low) / 2 * turned, strict=True):
            both = phi(math.sqrt(q) * radii * math.cos(turn)) * phi(math.sqrt(q) * radii * math.cos(turn - apart))
            total += share * float(shares @ both)
    return total / (2.0 * math.pi)


@pytest.mark.parametrize(
    ("role", "q"), [("selu", 0.023), ("elu", 1.0), ("tanh", 2.0), ("gelu", 1.5), ("sigmoid", 5.0), ("leaky_relu", 3.0)]
)
@pytest.mark.parametrize("c", [-0.7, 0.3, 0.99])
def test_joint_moments(role, q, c):
    assert joint_moment(role, q, c) == pytest.approx(polar(role, q, c), rel=1e-7)


@pytest.mark.parametrize("c", [-0.5, 0.5, 0.99])
def test_closed_forms_are_what_a_series_gives(c):
    generator = np.random.default_rng(0)
    first, noise = generator.standard_normal((2, 20_000))
    second = c * first + math.sqrt(1 - c * c) * noise
    for role in ROLES:
        shape = curve(role)
        phi = np.vectorize(lambda x, shape=shape, role=role: shape.value(x, *filled(role)), otypes=[float])
        both = phi(1.2 * first) * phi(1.2 * second)
        assert both.mean() == pytest.approx(joint_moment(role, 1.44, c), abs=4.5 * both.std() / 20_000**0.5), role


# nonlinearity, weight gain, bias std, c*, depth scale
@pytest.mark.parametrize(
    ("role", "gain", "bias", "c", "scale"),
    [
        ("tanh", 5 / 3, 0.0, 0.0, 12.1),
        ("tanh", math.sqrt(2), 0.0, 0.0, 21.7),
        ("tanh", 2.0, 0.0, 0.0, 8.0),
        ("tanh", math.sqrt(1 / 3), math.sqrt(1 / 3 / 512), 1.0, 0.91),
        ("selu", 1.0, 0.0, 0.0, 33.6),
        ("selu", 0.75, 0.0, 0.992, 560),
        ("elu", 1.2452, 0.0, 0.60, 32.5),
        ("relu", math.sqrt(1 / 3), math.sqrt(1 / 3 / 64), 1.0, 0.56),
        ("sigmoid", 1.0, 0.0, 1.0, 0.35),
        ("sigmoid", 4.0, 0.0, 1.0, 1.09),
    ],
)
def test_published_fixed_points(role, gain, bias, c, scale):
    found = correlation_fixed_point(role, gain, bias)
    assert found.c == pytest.approx(c, abs=5e-3)
    assert found.depth_scale == pytest.approx(scale, rel=1.5e-2)
    assert found.chi <= 1.0


def test_relu_at_the_right_gain_forgets_its_inputs_slowly():
    assert correlation_fixed_point("relu", math.sqrt(2), q=1.0).c == 1.0
    assert correlation_fixed_point("relu", math.sqrt(2), q=1.0).depth_scale == math.inf
    after = [correlation_after("relu", math.sqrt(2), 0.0, 1.0, 0.0, layers) for layers in (1, 5, 10, 20, 50, 100)]
    assert after == pytest.approx([0.318, 0.736, 0.872, 0.948, 0.988, 0.9964], abs=6e-4)
    assert 1 - correlation_after("relu", math.sqrt(2), 0.0, 1.0, 0.0, 400) == pytest.approx(4.5 * math.pi**2 / 400**2, rel=0.1)


@pytest.mark.parametrize("role", ROLES)
def test_the_ends_of_the_map(role):
    for q in (0.3, 1.0, 4.0):
        found = moments(role, q)
        assert joint_moment(role, q, 1.0) == pytest.approx(found.square, rel=1e-9)
        assert joint_moment(role, q, 0.0) == pytest.approx(found.mean**2, abs=1e-9)
        assert correlation_map(role, 1.3, 0.2, q, 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("role", ["relu", "elu", "tanh", "gelu", "erf", "sin"])
def test_the_slope_at_one_is_the_gradient_factor(role):
    q, step = 1.0, 1e-6
    gain = moments(role, q).square ** -0.5
    rise = (1.0 - correlation_map(role, gain, 0.0, q, 1.0 - step)) / step
    assert rise == pytest.approx(chi_1(role, gain, q), abs=2e-3)


@settings(max_examples=60, deadline=None)
@given(
    role=st.sampled_from(ROLES),
    q=st.sampled_from([0.1, 1.0, 5.0]),
    gain=st.floats(0.3, 3.0),
    bias=st.floats(0.0, 1.0),
    pair=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_more_alike_inputs_stay_more_alike(role, q, gain, bias, pair):
    low, high = sorted(pair)
    first, second = (correlation_map(role, gain, bias, q, c) for c in (low, high))
    assert -1e-9 <= first <= second + 1e-9
    assert second <= 1.0 + 1e-9


@settings(max_examples=40, deadline=None)
@given(role=st.sampled_from(["tanh", "elu", "selu", "erf", "sigmoid", "sin"]), gain=st.floats(0.5, 3.0), bias=st.floats(0.0, 0.5))
def test_a_fixed_point_is_kept_and_drawn_to(role, gain, bias):
    settled = fixed_point(role, gain, bias)
    if settled is None:
        return
    found = correlation_fixed_point(role, gain, bias)
    assert correlation_map(role, gain, bias, settled.q, found.c) == pytest.approx(found.c, abs=1e-6)
    assert abs(correlation_after(role, gain, bias, settled.q, 0.5, 12) - found.c) <= abs(0.5 - found.c) + 1e-6


def test_what_is_not_known():
    with pytest.raises(NotKnown, match="correlation"):
        correlation_map("tanh", 1.0, 0.0, 1.0, 1.5)
    with pytest.raises(NotKnown, match="settles nowhere"):
        correlation_fixed_point("relu", math.sqrt(2))
    with pytest.raises(NotKnown):
        joint_moment("custom:f", 1.0, 0.5)
