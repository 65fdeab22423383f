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
    _chi_square_below,
    dtype_eps,
    effective_count,
    kurtosis_tolerance,
    mean_tolerance,
    scale_error,
    scale_tails,
    std_interval,
    std_tolerance,
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
    assert _chi_square_below(x, dof) == pytest.approx(level, rel=1e-2)
    assert 1 - _chi_square_below(x, dof) == pytest.approx(1 - level, rel=1e-2)


def test_chi_square_far_out():
    assert _chi_square_below(0.0, 10) == 0.0
    assert _chi_square_below(1e9, 100) == 1.0
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
