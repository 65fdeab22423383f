from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from initcheck.report.profile import profile
from initcheck.report.sparkline import BARS, MISSING, Axis, axis, bar, sparkline
from tests.unit.report import sample


def test_the_axis_does_not_stretch_small_differences():
    values = [0.67, 0.8, 0.9, 1.0]
    assert axis(values) == Axis(-3, 1)
    assert len(set(sparkline([0.9, 1.0, 1.1], axis(values)))) <= 2


def test_the_axis_grows_by_decades_when_it_must():
    assert axis([1e-9, 5e4]) == Axis(-9, 5)
    assert str(Axis()) == "log axis 0.001 … 10"


def test_ends_and_special_values():
    on = Axis()
    assert bar(0.001, on) == BARS[0]
    assert bar(10, on) == BARS[-1]
    assert bar(0.0, on) == BARS[0]
    assert bar(math.inf, on) == BARS[-1]
    assert bar(None, on) == MISSING == bar(math.nan, on)


def test_long_profiles_keep_their_ends():
    values = [1e-3] + [1.0] * 200 + [10.0]
    line = sparkline(values, Axis(), most=40)
    assert len(line) == 40
    assert (line[0], line[-1]) == (BARS[0], BARS[-1])


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=60))
def test_any_numbers_can_be_drawn(values):
    assert len(sparkline(values, axis(values))) == min(len(values), 40)


def test_a_larger_value_never_gets_a_lower_bar():
    on = Axis()
    heights = [BARS.index(bar(10 ** (exponent / 10), on)) for exponent in range(-40, 20)]
    assert heights == sorted(heights)


def test_profile_tells_the_extreme_between_the_ends():
    layers = [sample.layer("a", 1.0, None), sample.layer("b", 0.01, None), sample.layer("c", 1.2, None)]
    ((label, text),) = profile(layers)
    assert label == "signal"
    assert "rms 1 → 1.2, lowest 0.01, 3 layers" in text


def test_norms_and_unknown_numbers_are_no_part_of_the_profile():
    assert profile([sample.layer("a"), sample.layer("n", kind="norm")]) == ()
    assert profile([sample.layer("a", None, None), sample.layer("b", None, None)]) == ()
