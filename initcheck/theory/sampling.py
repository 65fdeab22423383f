"""How far the statistics of a finite tensor may stray from its distribution: tolerances at a two-sided level of 1e-5.

Large-sample formulas checked by simulation down to eight elements; below that only exact tests mean anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

ALPHA = 1e-5
Z = 4.417173413469028
"""Two-sided standard normal quantile of `ALPHA`."""

SMALLEST, NAMEABLE, FAMILIAR = 8, 32, 64
"""Elements below which nothing statistical is said, only compatibility is, and no family is named."""

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Spacing of floating point numbers at 1, by dtype name without `torch.`."""

_SERIES_LIMIT = 2000.0
"""Degrees of freedom up to which the chi-square tail is summed; beyond, its cube root is normal to better than the level needs."""


@dataclass(frozen=True, slots=True)
class Family:
    """Shape of a zero-mean distribution, standardised to unit variance.

    kurtosis, sixth, eighth: its even moments. bound: largest |w| / std, infinite for the normal.
    shrink: std over that of the normal it was cut from, 1 where nothing was cut.
    """

    name: str
    kurtosis: float
    sixth: float
    eighth: float
    bound: float
    shrink: float = 1.0

    @property
    def log_std_error(self) -> float:
        """Standard error of ln(std) times sqrt(n), dimensionless."""
        return math.sqrt((self.kurtosis - 1.0) / 4.0)

    @property
    def kurtosis_error(self) -> float:
        """Standard error of the kurtosis times sqrt(n), the mean being known to be 0."""
        k = self.kurtosis
        return math.sqrt((self.eighth - k * k) + 4.0 * k * k * (k - 1.0) - 4.0 * k * (self.sixth - k))


UNIFORM = Family("uniform", 9.0 / 5.0, 27.0 / 7.0, 9.0, math.sqrt(3.0))
NORMAL = Family("normal", 3.0, 15.0, 105.0, math.inf)


@cache
def truncated(cut: float) -> Family:
    """The normal distribution cut at `cut` of its standard deviations on both sides."""
    density = math.exp(-0.5 * cut * cut) / math.sqrt(2.0 * math.pi)
    mass = math.erf(cut / math.sqrt(2.0))
    raw = [1.0]
    # Integration by parts: E[z^2k] = (2k - 1) E[z^(2k - 2)] - 2 cut^(2k - 1) density / mass.
    for order in range(2, 9, 2):
        raw.append((order - 1) * raw[-1] - 2.0 * cut ** (order - 1) * density / mass)
    _, variance, fourth, sixth, eighth = raw
    std = math.sqrt(variance)
    return Family("truncated", fourth / std**4, sixth / std**6, eighth / std**8, cut / std, std)


TRUNCATED_2, TRUNCATED_3 = truncated(2.0), truncated(3.0)
FAMILIES = (UNIFORM, TRUNCATED_2, TRUNCATED_3, NORMAL)


def dtype_eps(dtype: str) -> float:
    """Spacing of numbers at 1 for a dtype name, with or without `torch.`; that of float32 for unknown ones."""
    return EPSILON.get(dtype.removeprefix("torch."), EPSILON["float32"])


def scale_error(count: int, kurtosis: float = 3.0) -> float:
    """Relative standard error of a measured std: sqrt((kurtosis - 1) / (4 n)); the normal's where the kurtosis is NaN."""
    shape = NORMAL.kurtosis if math.isnan(kurtosis) else max(kurtosis, 1.0)
    return math.sqrt((shape - 1.0) / (4.0 * max(count, 1)))


def effective_count(family: Family, count: int) -> float:
    """Number of normal elements whose second moment would be as precise as that of `count` elements of this family."""
    return 2.0 * count / (family.kurtosis - 1.0)


def mean_tolerance(count: int, std: float, eps: float = EPSILON["float32"]) -> float:
    """Largest |mean| of `count` zero-mean elements; `eps` covers the bias of rounding in low precision."""
    return (Z / math.sqrt(max(count, 1)) + eps) * std


def std_tolerance(family: Family, count: int) -> float:
    """Largest |ln(measured std / true std)| of `count` elements, dimensionless."""
    return Z * family.log_std_error / math.sqrt(max(count, 1))


def kurtosis_tolerance(family: Family, count: int) -> float:
    """Largest |measured kurtosis - true kurtosis| of `count` elements; sound from 4096 elements on."""
    return Z * family.kurtosis_error / math.sqrt(max(count, 1))


def std_interval(std: float, count: int, family: Family = NORMAL, kurtosis: float = math.nan) -> tuple[float, float]:
    """Confidence interval of the true std at level `ALPHA`; a measured kurtosis above the family's widens it."""
    spread = family.log_std_error
    if kurtosis > family.kurtosis:
        spread = math.sqrt((kurtosis - 1.0) / 4.0)
    width = Z * spread / math.sqrt(max(count, 1))
    return std * math.exp(-width), std * math.exp(width)


def scale_tails(ratio: float, count: int, family: Family) -> tuple[float, float]:
    """Chances of a second moment this small, and this large, when the claimed std is true; cautious for small counts.

    Args:
        ratio: measured second moment over the claimed variance.
        count: number of elements.
        family: the claimed family.
    """
    dof = effective_count(family, count)
    low = max(_chi_square_below(dof * ratio, dof), _chi_square_below(count * ratio, count))
    # The upper tail of a truncated or normal sample is only gamma-like once it is large.
    high_dof = float(count) if count < 128 and family is not UNIFORM else dof
    return low, 1.0 - _chi_square_below(high_dof * ratio, high_dof)


def _chi_square_below(x: float, dof: float) -> float:
    if x <= 0.0:
        return 0.0
    if dof > _SERIES_LIMIT:
        spread = 2.0 / (9.0 * dof)
        return 0.5 * math.erfc(-((x / dof) ** (1.0 / 3.0) - 1.0 + spread) / math.sqrt(2.0 * spread))
    shape, half = 0.5 * dof, 0.5 * x
    if half > shape + 40.0 * math.sqrt(shape) + 100.0:
        return 1.0
    term = total = math.exp(shape * math.log(half) - half - math.lgamma(shape + 1.0))
    step = 0
    while term > 1e-17 * max(total, 1e-300) and step < 100_000:
        step += 1
        term *= half / (shape + step)
        total += term
    return min(total, 1.0)
