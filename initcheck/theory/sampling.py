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

LARGE = 4096
"""Elements from which the kurtosis is a sound test."""

ROW = 64
"""Elements per row from which the mean squares of rows are a sound test."""


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
    return low, _chi_square_above(high_dof * ratio, high_dof)


def dispersion_tails(dispersion: float, rows: int, columns: int, kurtosis: float) -> tuple[float, float]:
    """Chances of row mean squares this even, and this uneven, when all elements are drawn from one law.

    Args:
        dispersion: variance of the row mean squares over the square of their mean, dimensionless.
        rows: number of rows that differ.
        columns: elements per row; sound from `ROW` on.
        kurtosis: E[w^4] / E[w^2]^2 of the law.
    """
    dof = float(rows - 1)
    x = rows * dispersion * columns / max(kurtosis - 1.0, 1e-12)
    return chi_square_tails(x, dof)


def chi_square_tails(x: float, dof: float) -> tuple[float, float]:
    """P(X <= x) and P(X >= x) of a chi-square variable with `dof` degrees of freedom."""
    return _chi_square_below(x, dof), _chi_square_above(x, dof)


def bound_chance(share: float, count: int, eps: float = EPSILON["float32"]) -> float:
    """Chance that the largest of `count` uniform elements stays below `share` of the bound; 0 beyond the bound and its rounding."""
    return 0.0 if share > 1.0 + 2.0 * eps else min(1.0, share * (1.0 + eps)) ** count


def orthogonality_tolerance(small: int, large: int, eps: float) -> float:
    """Largest distance from orthogonal that rounding explains, far below that of a random matrix, sqrt((small + 1) / large).

    Two random rows are orthogonal by chance now and then: nothing is tolerated below three.
    """
    return min(max(20.0 * eps, 1e-5), 0.02 * math.sqrt((small + 1) / large)) if small >= 3 else 0.0


def duplicate_chance(rows: int, columns: int, eps: float) -> float:
    """Bound on the chance that any two of `rows` rows of independent continuous elements agree in all bits of `columns` elements."""
    return min(1.0, 0.5 * rows * (rows - 1) * min(eps, 1.0) ** columns)


def zero_tolerance(count: int, eps: float) -> int:
    """Most exact zeros among `count` elements that rounding to the dtype explains: each is zero with a chance of at most `eps`."""
    expected = count * eps
    return math.ceil(expected + Z * math.sqrt(expected) + Z)


def _chi_square_below(x: float, dof: float) -> float:
    import scipy.special  # takes longer than a whole fast command, so it waits for the first use

    return float(scipy.special.chdtr(dof, max(x, 0.0)))


def _chi_square_above(x: float, dof: float) -> float:
    import scipy.special

    return float(scipy.special.chdtrc(dof, max(x, 0.0)))


def chance_of_silence(silent: int, units: int) -> float:
    """The probability that at least `silent` of `units` rectified units are off for a whole batch by chance alone.

    Each is off with probability one half, which is what a healthy unit comes to when the samples have become alike (deep plain networks,
    pooled features); when they differ, it is off far more rarely.
    """
    return sum(math.comb(units, count) for count in range(silent, units + 1)) / (1 << units) if units < 1000 else 0.0
