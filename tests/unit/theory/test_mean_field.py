"""Fixed points and critical lines against published values."""

import math

import pytest

from initcheck.theory.mean_field import chi_1, depth_scale, fixed_point, length_map


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
