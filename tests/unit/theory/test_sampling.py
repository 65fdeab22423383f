"""Tolerances against scipy, against simulation, and against the table of constants."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from initcheck.theory.sampling import (
    ALPHA,
    NORMAL,
    TRUNCATED_2,
    TRUNCATED_3,
    UNIFORM,
    Z,
    bound_chance,
    chance_of_silence,
    chi_square_tails,
    dispersion_tails,
    dtype_eps,
    duplicate_chance,
    effective_count,
    kurtosis_tolerance,
    mean_tolerance,
    orthogonality_tolerance,
    scale_error,
    scale_tails,
    std_interval,
    std_tolerance,
    zero_tolerance,
)


@pytest.mark.parametrize(
    ("law", "kurtosis", "bound", "log_std", "kurtosis_error", "count", "shrink"),
    [
        (UNIFORM, 1.8, 1.7321, 0.4472, 1.1474, 2.5, 1.0),
        (TRUNCATED_2, 2.3655, 2.2737, 0.5843, 1.9617, 1.465, 0.879626),
        (TRUNCATED_3, 2.8289, 3.0408, 0.6762, 3.2599, 1.094, 0.986578),
        (NORMAL, 3.0, math.inf, 0.7071, 4.899, 1.0, 1.0),
    ],
)
def test_constants(law, kurtosis, bound, log_std, kurtosis_error, count, shrink):
    assert (law.kurtosis, law.bound, law.log_std_error, law.shrink) == pytest.approx((kurtosis, bound, log_std, shrink), abs=6e-5)
    assert law.kurtosis_error == pytest.approx(kurtosis_error, abs=6e-4)
    assert effective_count(law, 1) == pytest.approx(count, abs=6e-4)


def test_the_quantile_belongs_to_the_level():
    assert math.erfc(Z / math.sqrt(2)) == pytest.approx(ALPHA, rel=1e-9)


@given(dof=st.floats(2.0, 1e6), level=st.floats(1e-6, 1 - 1e-6))
def test_chi_square_against_scipy(dof, level):
    x = float(reference.chi2.ppf(level, dof))
    assert chi_square_tails(x, dof) == pytest.approx((level, 1 - level), rel=1e-2)


def test_chi_square_far_out():
    assert chi_square_tails(0.0, 10) == (0.0, 1.0)
    assert chi_square_tails(1e9, 100) == (1.0, 0.0)
    assert scale_tails(1e4, 1000, NORMAL)[1] == 0.0
    assert scale_tails(1e-4, 1000, NORMAL)[0] == 0.0


@pytest.mark.parametrize("count", [8, 100, 4096])
def test_normal_scale_tails_are_exact(count):
    low, high = scale_tails(1.1, count, NORMAL)
    assert low == pytest.approx(float(reference.chi2.cdf(1.1 * count, count)), rel=1e-6)
    assert high == pytest.approx(float(reference.chi2.sf(1.1 * count, count)), rel=1e-2)


def test_intervals_hold_the_truth():
    generator = torch.Generator().manual_seed(0)
    outside = 0
    for _ in range(400):
        draw = torch.randn(256, generator=generator)
        low, high = std_interval(draw.square().mean().sqrt().item(), 256)
        outside += not low <= 1.0 <= high
    assert outside == 0
    assert std_interval(1.0, 256)[1] == pytest.approx(math.exp(std_tolerance(NORMAL, 256)))


def test_heavy_tails_widen_the_interval():
    narrow, wide = std_interval(1.0, 1000), std_interval(1.0, 1000, NORMAL, kurtosis=9.0)
    assert wide[0] < narrow[0] < 1 < narrow[1] < wide[1]
    assert std_interval(1.0, 1000, NORMAL, kurtosis=math.nan) == narrow


def test_standard_errors_shrink_with_the_root_of_the_count():
    assert scale_error(1000) == pytest.approx(1 / math.sqrt(2000))
    assert scale_error(1000, math.nan) == scale_error(1000, 3.0)
    assert scale_error(1000, 1.8) < scale_error(1000, 3.0) < scale_error(1000, 6.0)
    assert mean_tolerance(400, 2.0) == pytest.approx(Z * 2 / 20, rel=1e-5)
    assert kurtosis_tolerance(NORMAL, 4096) == pytest.approx(Z * math.sqrt(24 / 4096))


def test_dtypes():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert dtype_eps(str(dtype)) == torch.finfo(dtype).eps
    assert dtype_eps("bfloat16") == 2**-7
    assert dtype_eps("complex64") == 2**-23


def test_rows_of_one_law_are_neither_too_even_nor_too_uneven():
    generator = torch.Generator().manual_seed(0)
    tails = []
    for _ in range(300):
        squares = torch.randn(40, 256, generator=generator).double().square().mean(1)
        spread = (squares / squares.mean() - 1).square().mean().item()
        tails.append(dispersion_tails(spread, 40, 256, 3.0))
    assert min(min(pair) for pair in tails) > ALPHA
    assert sum(low for low, _ in tails) / 300 == pytest.approx(0.5, abs=0.06)
    assert dispersion_tails(0.1, 40, 256, 3.0)[1] < ALPHA
    assert dispersion_tails(1e-6, 40, 256, 3.0)[0] < ALPHA


def test_bounds():
    assert bound_chance(0.5, 10) == pytest.approx(0.5**10, rel=1e-5)
    assert bound_chance(1.0001, 10) == 0.0
    assert bound_chance(1.0001, 10, 2**-10) == 1.0


def test_orthogonality_duplicates_and_zeros():
    assert orthogonality_tolerance(2, 2, 2**-23) == 0.0
    assert orthogonality_tolerance(64, 64, 2**-23) == 1e-5
    assert orthogonality_tolerance(64, 64, 2**-7) < 0.021
    assert duplicate_chance(1000, 1, 2**-7) == 1.0
    assert duplicate_chance(1000, 4, 2**-23) < 1e-20
    assert zero_tolerance(1000, 2**-23) < 6
    assert zero_tolerance(10**6, 2**-10) > 1000


@pytest.mark.parametrize(("silent", "units", "expected"), [(8, 8, 1 / 256), (17, 17, 2.0**-17), (0, 5, 1.0), (29, 32, 5489 / 2.0**32)])
def test_units_silent_by_chance(silent, units, expected):
    assert chance_of_silence(silent, units) == pytest.approx(expected)


def test_many_units_are_never_silent_by_chance():
    assert chance_of_silence(900, 1000) == 0.0
    assert chance_of_silence(900, 999) < 1e-100
