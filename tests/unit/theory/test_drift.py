"""The severity law on hand-made chains and on the calibration table."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.errors import NotKnown
from initcheck.theory.drift import (
    costly_depth,
    drift,
    excess_loss_severity,
    floor,
    mean_offset_index,
    mean_offset_severity,
    sample_fraction_severity,
    severity,
)

hops = st.lists(st.floats(-20, 20), min_size=1, max_size=30)


def stack(ratio: float, weight_layers: int, width: int = 10_000):
    """The chain of a plain stack: hops between the hidden pre-activations, the head left out."""
    count = weight_layers - 2
    return drift([math.log(ratio)] * count, [width] * count)


@pytest.mark.parametrize(
    ("judged", "word"),
    [(0.0, "ok"), (2.99, "ok"), (-2.99, "ok"), (3.0, "warning"), (-7.9, "warning"), (8.0, "error"), (-12.9, "error"), (13.0, "fatal")],
)
def test_thresholds(judged, word):
    assert severity(judged) == word


def test_floor_of_wide_and_narrow_nets():
    assert floor([4096] * 8) == 3.0
    assert floor([64] * 20) == pytest.approx(4.4 * math.sqrt(5 * 20 / 64))
    assert floor([]) == 3.0


def test_a_correct_narrow_net_may_drift():
    lucky = drift([0.3] * 18, [32] * 18)
    assert (lucky.severity, lucky.floor > 7) == ("ok", True)
    assert drift([0.3] * 18, [4096] * 18).severity == "warning"


def test_one_shrunken_layer_is_forgiven_and_one_inflated_is_not():
    shrunken = drift([0.0, -9.2, 0.1, 0.0], [512] * 4)
    assert (shrunken.severity, shrunken.dropped_index, shrunken.judged) == ("ok", 1, 0.0)
    assert shrunken.total == pytest.approx(-9.1)
    inflated = drift([0.0, 9.2, -0.1, 0.0], [512] * 4)
    assert (inflated.severity, inflated.dropped_index) == ("error", None)


def test_the_same_loss_spread_out_is_an_error():
    spread = drift([-1.0] * 9, [512] * 9)
    assert (spread.severity, spread.judged) == ("error", -8.0)


def test_a_dropped_hop_never_turns_into_an_explosion():
    assert drift([-9.0, 5.0], [512] * 2).judged == 0.0


def test_infinite_and_undefined_hops():
    assert drift([math.inf, 1.0], [64] * 2).severity == "fatal"
    assert drift([-math.inf, -1.0], [64] * 2).severity == "ok"
    assert drift([-math.inf, -math.inf], [64] * 2).severity == "fatal"
    for broken in ([math.nan, 1.0], [math.inf, -math.inf]):
        with pytest.raises(NotKnown):
            drift(broken, [64] * 2)
    assert drift([], []).severity == "ok"


@given(hops)
def test_dropping_only_makes_milder(values):
    found = drift(values, [64] * len(values))
    assert abs(found.judged) <= abs(found.total) + 1e-9
    assert found.judged * found.total >= 0
    assert (found.dropped_index is None) == (found.total >= 0)


# Second-moment ratio per layer, weight layers, verdict: plain ReLU and tanh stacks whose trainings the law was calibrated on.
@pytest.mark.parametrize(
    ("ratio", "layers", "word"),
    [
        (0.5, 4, "ok"),
        (0.5, 8, "warning"),
        (0.5, 12, "warning"),
        (0.5, 20, "error"),
        (1 / 6, 3, "ok"),
        (1 / 6, 8, "error"),
        (9.0, 8, "fatal"),
    ],
)
def test_plain_stacks(ratio, layers, word):
    assert stack(ratio, layers).severity == word


@given(st.floats(0.02, 50.0).filter(lambda r: abs(math.log(r)) > 0.02))
def test_costly_depth_is_where_the_law_begins_to_speak(ratio):
    warns, fails = costly_depth(ratio)
    assert stack(ratio, warns).severity != "ok"
    assert stack(ratio, warns - 1).severity == "ok"
    assert stack(ratio, fails).severity in ("error", "fatal")
    assert stack(ratio, fails - 1).severity in ("ok", "warning")


def test_costly_depth_at_the_ends():
    assert costly_depth(0.5) == (8, 15)
    assert costly_depth(1.0) == (1_000_000, 1_000_000)
    for broken in (0.0, -1.0, math.nan):
        with pytest.raises(NotKnown):
            costly_depth(broken)


@pytest.mark.parametrize(
    ("excess", "word"), [(-0.1, "ok"), (0.41, "ok"), (0.5, "info"), (2.9, "info"), (4.2, "warning"), (26.0, "error"), (math.nan, "error")]
)
def test_excess_loss(excess, word):
    assert excess_loss_severity(excess) == word


def test_sample_fraction():
    assert [sample_fraction_severity(value) for value in (0.2, 0.012, 3e-5)] == ["ok", "warning", "error"]


# mean / std of a ReLU net of width 64, its index as measured, and the verdict on four such layers.
@pytest.mark.parametrize(
    ("share", "index", "word"), [(0.05, 0.05, "ok"), (0.1, 0.20, "ok"), (0.2, 0.81, "warning"), (0.3, 1.8, "error"), (1.0, 20, "error")]
)
def test_weight_means(share, index, word):
    found = mean_offset_index(share * 0.1, 0.1, 64, 1 / math.pi)
    assert found == pytest.approx(index, rel=0.03)
    assert mean_offset_severity(found, 4) == word


def test_weight_means_of_constants():
    assert mean_offset_index(0.5, 0.0, 64, 0.3) == math.inf
    assert mean_offset_index(0.0, 0.0, 64, 0.3) == 0.0
