"""Fixed points and critical lines against published values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.errors import NotKnown
from initcheck.theory.drift import COSTLY, HARMLESS, costly_depth
from initcheck.theory.mean_field import (
    chi_1,
    compounding,
    critical_point,
    depth_scale,
    fixed_point,
    length_map,
    tolerated_ratio,
    trainable_depth,
)


# nonlinearity, weight gain, bias std, q*, chi_1, gradient depth scale
@pytest.mark.parametrize(
    ("role", "gain", "bias", "q", "chi", "scale"),
    [
        ("tanh", 5 / 3, 0.0, 1.1785, 1.2098, 5.2),
        ("tanh", math.sqrt(2), 0.0, 0.618, 1.106, 10.0),
        ("tanh", 2.0, 0.0, 2.121, 1.363, 3.2),
        ("tanh", math.sqrt(1 / 3), math.sqrt(1 / 3 / 512), 0.00098, 0.333, 0.91),
        ("selu", 1.0, 0.0, 1.0, 1.0716, 14.5),
        ("selu", 0.75, 0.0, 0.0230, 1.0037, 273),
        ("elu", 1.2452, 0.0, 1.0, 1.036, 28.3),
        ("relu", math.sqrt(1 / 3), math.sqrt(1 / 3 / 64), 0.4 / 64, 0.1667, 0.56),
        ("sigmoid", 1.0, 0.0, 0.265, 0.0557, 0.35),
        ("sigmoid", 4.0, 0.0, 5.86, 0.399, 1.09),
    ],
)
def test_published_fixed_points(role, gain, bias, q, chi, scale):
    found = fixed_point(role, gain, bias)
    assert found is not None
    assert found.q == pytest.approx(q, rel=6e-3)
    assert found.chi_1 == pytest.approx(chi, rel=2e-3)
    assert found.depth_scale == pytest.approx(scale, rel=2e-2)
    assert abs(found.slope) < 1.0
    assert length_map(role, gain, bias, found.q) == pytest.approx(found.q, rel=1e-9)


@pytest.mark.parametrize(
    ("role", "gain"),
    [("relu", math.sqrt(2)), ("relu", 1.0), ("relu", 2.0), ("tanh", 1.0), ("gelu", math.sqrt(2)), ("gelu", 1.5335), ("relu2", 1.0)],
)
def test_maps_that_settle_nowhere(role, gain):
    assert fixed_point(role, gain) is None


# Points (weight variance, bias variance) of the critical line, where chi_1 is 1 at the fixed point.
@pytest.mark.parametrize(
    ("role", "weight", "bias"),
    [
        ("tanh", 1.326, 0.0048),
        ("tanh", 1.7610, 0.05),
        ("tanh", 2.153, 0.151),
        ("erf", 1.360, 0.047),
        ("selu", 0.933, 0.067),
        ("sin", 1.762, 0.238),
    ],
)
def test_critical_line(role, weight, bias):
    found = fixed_point(role, math.sqrt(weight), math.sqrt(bias))
    assert found is not None
    assert found.chi_1 == pytest.approx(1.0, abs=4e-3)
    assert found.depth_scale > 200


def test_depth_scale_at_the_ends():
    assert depth_scale(1.0) == math.inf
    assert depth_scale(0.0) == 0.0
    assert depth_scale(math.e) == pytest.approx(1.0)


def test_the_gradient_factor_of_relu_is_its_gain():
    assert chi_1("relu", math.sqrt(2), 123.0) == pytest.approx(1.0)


# Points of the critical line by their second moment; weight and bias variance as published.
@pytest.mark.parametrize(
    ("role", "points"),
    [
        ("tanh", [(1.326, 0.0048), (1.7610, 0.05), (2.861, 0.512)]),
        ("erf", [(1.054, 0.0056), (1.756, 0.184)]),
        ("selu", [(0.824, 0.022), (1.056, 0.18)]),
        ("elu", [(1.287, 0.0027), (1.593, 0.088)]),
        ("gelu", [(2.94, 0.011), (2.043, 0.116)]),
        ("silu", [(3.43, 0.0066), (2.343, 0.128)]),
        ("softsign", [(2.03, 0.0048), (4.39, 0.196)]),
        ("sin", [(1.197, 0.0026), (1.762, 0.238)]),
    ],
)
def test_critical_points(role, points):
    line = [critical_point(role, 0.002 * 1.02**step) for step in range(400)]
    for weight, bias in points:
        near = min(line, key=lambda point: abs(point[0] - weight) / weight)
        assert near == pytest.approx((weight, bias), rel=0.05, abs=6e-4)


def test_relu_is_critical_at_one_start_and_sigmoid_at_no_usual_one():
    for q in (0.01, 1.0, 20.0):
        assert critical_point("relu", q) == pytest.approx((2.0, 0.0))
        for role in ("sigmoid", "softplus"):
            with pytest.raises(NotKnown, match="no critical start"):
                critical_point(role, q)


@given(role=st.sampled_from(["tanh", "erf", "gelu", "elu", "selu", "relu", "sin"]), q=st.floats(0.05, 3.0))
def test_a_critical_start_keeps_signal_and_gradient(role, q):
    try:
        weight, bias = critical_point(role, q)
    except NotKnown:
        return
    gain = math.sqrt(weight)
    assert length_map(role, gain, math.sqrt(bias), q) == pytest.approx(q)
    assert chi_1(role, gain, q) == pytest.approx(1.0)


# The table of tolerated ratios: [exp(-3/L), exp(3/L)] and [exp(-8/L), exp(8/L)].
@pytest.mark.parametrize(
    ("layers", "fine", "bearable"),
    [
        (2, (0.22, 4.5), (0.018, 55)),
        (5, (0.55, 1.8), (0.20, 5.0)),
        (8, (0.69, 1.45), (0.37, 2.7)),
        (12, (0.78, 1.28), (0.51, 1.95)),
        (20, (0.86, 1.16), (0.67, 1.49)),
        (50, (0.94, 1.06), (0.85, 1.17)),
    ],
)
def test_tolerated_ratios(layers, fine, bearable):
    assert tolerated_ratio(layers) == pytest.approx(fine, rel=0.03)
    assert tolerated_ratio(layers, COSTLY) == pytest.approx(bearable, rel=0.03)


@given(layers=st.integers(1, 200), more=st.integers(1, 50))
def test_deeper_tolerates_less(layers, more):
    low, high = tolerated_ratio(layers)
    lower, higher = tolerated_ratio(layers + more)
    assert low < lower < 1 < higher < high
    assert layers * math.log(high) == pytest.approx(HARMLESS)


@given(ratio=st.floats(0.05, 20.0).filter(lambda r: abs(math.log(r)) > 0.05))
def test_six_depth_scales_lie_between_cost_and_failure(ratio):
    found = compounding(ratio)
    assert found.harmless + 1 == found.costs <= found.fails
    assert (found.costs, found.fails) == costly_depth(ratio)
    # counted in hops: what a depth of weight layers has fewer of
    assert found.costs - 3 <= trainable_depth(ratio) <= found.fails


def test_how_a_ratio_is_spoken_of():
    assert str(compounding(0.5)) == "harmless to depth 7, costs accuracy from 8, fails from 15"
    assert str(compounding(1.0)) == "harmless at any usual depth"
    with pytest.raises(NotKnown):
        tolerated_ratio(0)
    with pytest.raises(NotKnown):
        compounding(0.0)


@given(role=st.sampled_from(["relu", "tanh", "gelu", "elu", "softsign", "silu"]), q=st.floats(1e-3, 1e3), factor=st.floats(1.01, 10.0))
def test_the_length_map_grows_with_the_signal(role, q, factor):
    assert length_map(role, 1.0, 0.1, q * factor) > length_map(role, 1.0, 0.1, q)
    assert length_map(role, factor, 0.1, q) > length_map(role, 1.0, 0.1, q)
