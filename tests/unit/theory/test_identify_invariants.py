"""What identification must not depend on."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from initcheck.measure.parameters.weights import weight_stats
from initcheck.theory.identify import identify
from initcheck.theory.sampling import dtype_eps

SCHEMES = (
    nn.init.xavier_uniform_,
    nn.init.xavier_normal_,
    lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    lambda w: nn.init.trunc_normal_(w, std=0.02, a=-0.04, b=0.04),
    lambda w: nn.init.normal_(w, std=0.37),
)


def identified(tensor, fan_in, fan_out):
    (stats,) = weight_stats({"w": tensor}, {})
    return identify(stats, fan_in, fan_out, dtype_eps(stats.dtype))


def told(found):
    """Sets, since likelihoods that differ by rounding may swap near twins."""
    return {candidate.label for candidate in found.candidates}, found.family, found.uneven, len(found.parts)


@st.composite
def weights(draw):
    rows, columns = draw(st.integers(2, 90)), draw(st.integers(4, 90))
    torch.manual_seed(draw(st.integers(0, 10_000)))
    return draw(st.sampled_from(SCHEMES))(torch.empty(rows, columns))


@settings(max_examples=30, deadline=None)
@given(weights(), st.integers(0, 10_000))
def test_the_order_of_the_elements_does_not_matter(weight, seed):
    order = torch.randperm(weight.numel(), generator=torch.Generator().manual_seed(seed))
    shuffled = weight.flatten()[order].reshape(weight.shape)
    fans = weight.shape[1], weight.shape[0]
    assert told(identified(shuffled, *fans)) == told(identified(weight, *fans))


@settings(max_examples=30, deadline=None)
@given(weights())
def test_signs_do_not_matter(weight):
    fans = weight.shape[1], weight.shape[0]
    one, other = identified(weight, *fans), identified(-weight, *fans)
    assert told(one) == told(other)
    assert math.isclose(one.confidence, other.confidence, rel_tol=1e-9) or one.confidence == other.confidence


@settings(max_examples=30, deadline=None)
@given(weights(), st.floats(1e-3, 1e3))
def test_scaling_scales_std_and_interval(weight, factor):
    fans = weight.shape[1], weight.shape[0]
    one, other = identified(weight, *fans), identified(weight * factor, *fans)
    scaled = (one.std * factor, *(end * factor for end in one.std_interval))
    assert all(math.isclose(a, b, rel_tol=1e-4) for a, b in zip(scaled, (other.std, *other.std_interval), strict=True))
    assert one.family.known() == other.family.known()


SWAPPED = {"kaiming_normal(relu)": "kaiming_normal(fan_out, relu)", "kaiming_uniform(relu)": "kaiming_uniform(fan_out, relu)"}
SYMMETRIC = ("xavier_uniform", "xavier_normal", "normal(0, 0.02)", "trunc_normal(0, 0.02, -0.04…0.04)")


@settings(max_examples=30, deadline=None)
@given(weights())
def test_transposition_swaps_the_fans(weight):
    rows, columns = weight.shape
    one = {candidate.label for candidate in identified(weight, columns, rows).candidates}
    other = {candidate.label for candidate in identified(weight.T.contiguous(), rows, columns).candidates}
    for label, twin in SWAPPED.items():
        assert (label in one) == (twin in other)
        assert (twin in one) == (label in other)
    for label in SYMMETRIC:
        assert (label in one) == (label in other)
