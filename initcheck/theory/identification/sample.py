"""The tests that one set of numbers can be put to: is it centred, how large may its std be, which law does its shape allow."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.stats import WeightStats
from initcheck.theory import sampling
from initcheck.theory.sampling import FAMILIES, NORMAL, UNIFORM, Family

CONFIDENT = 12.0
"""Nats of log-likelihood that make a verdict: a true law is beaten this clearly by a given wrong one in 6 of a million tensors."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The numbers of `count` independent elements; what was copied counts once, rows of zeros not at all.

    largest: largest |w|; infinite where it is not known. reach: half the distance between the ends. kurtosis: about the mean. rows,
    columns: of the matrix whose row mean squares vary by `dispersion` (NaN where that was not measured).
    """

    count: int
    mean: float
    second_moment: float
    largest: float
    reach: float
    kurtosis: float
    eps: float
    rows: int = 1
    columns: int = 1
    dispersion: float = math.nan

    @property
    def rms(self) -> float:
        """sqrt(E[w^2])."""
        return math.sqrt(self.second_moment)

    @property
    def std(self) -> float:
        """sqrt(E[w^2] - mean^2)."""
        return math.sqrt(max(self.second_moment - self.mean**2, 0.0))

    def centred(self, std: float) -> bool:
        """Whether the mean is that of a zero-mean law of this std."""
        return abs(self.mean) <= sampling.mean_tolerance(self.count, std, self.eps)

    def fits_kurtosis(self, law: Family) -> bool:
        """Whether the kurtosis is the law's; always below the count from which that is a sound test."""
        if self.count < sampling.LARGE:
            return True
        return abs(self.kurtosis - law.kurtosis) <= sampling.kurtosis_tolerance(law, self.count) + 10.0 * self.eps

    def fits(self, law: Family, std: float) -> bool:
        """Whether mean, second moment, largest element and kurtosis allow this law at this std."""
        if not self.centred(std) or not self.fits_kurtosis(law):
            return False
        if min(sampling.scale_tails(self.second_moment / (std * std), self.count, law)) < sampling.ALPHA / 2.0:
            return False
        if math.isinf(law.bound) or math.isinf(self.largest):
            return True
        share = self.largest / (law.bound * std)
        if law is UNIFORM:
            return sampling.bound_chance(share, self.count, self.eps) >= sampling.ALPHA
        return share <= 1.0 + 2.0 * self.eps

    def log_likelihood(self, law: Family, std: float) -> float:
        """Of all elements together, in nats; minus infinity where an element lies beyond the bound."""
        reaches = self.largest if math.isfinite(self.largest) else 0.0
        if reaches > law.bound * std * (1.0 + 2.0 * self.eps):
            return -math.inf
        if law is UNIFORM:
            return -self.count * math.log(2.0 * law.bound * std)
        scale = std / law.shrink
        mass = 1.0 if law is NORMAL else math.erf(law.bound * law.shrink / math.sqrt(2.0))
        return -self.count * (math.log(scale * math.sqrt(2.0 * math.pi) * mass) + self.second_moment / (2.0 * scale * scale))

    def family(self) -> Fact[Family]:
        """The law of the elements by profile likelihood, its scale (and its centre, where the sample is not centred) fitted."""
        if self.count < sampling.FAMILIAR or math.isinf(self.largest):
            return Unknown(f"{self.count} elements are too few to tell uniform from normal")
        around = self if self.centred(self.rms) else dataclasses.replace(self, mean=0.0, second_moment=self.std**2, largest=self.reach)
        scores = sorted(((around.log_likelihood(law, around.best_std(law)), index) for index, law in enumerate(FAMILIES)), reverse=True)
        best = FAMILIES[scores[0][1]]
        # How near a normal is cut decides nothing here: both cuts are `truncated`.
        rival = next(score for score, index in scores if FAMILIES[index].name != best.name)
        if not self.fits_kurtosis(best):
            return Unknown(f"a kurtosis of {self.kurtosis:.3g} fits neither uniform nor normal values")
        if scores[0][0] - rival < CONFIDENT:
            return Unknown(f"{self.count} elements do not tell {best.name} from its rivals")
        return Known(best)

    def best_std(self, law: Family) -> float:
        """The std at which the law explains the sample best."""
        if law is UNIFORM:
            return self.largest / law.bound
        return self.rms if law is NORMAL else max(self.rms * law.shrink, self.largest / law.bound)

    def even(self, kurtosis: float) -> tuple[float, float]:
        """Chances of rows this even, and this uneven, if all elements come from one law; (1, 1) where rows say nothing."""
        if math.isnan(self.dispersion) or self.columns < sampling.ROW or self.rows < 2 or not self.second_moment:
            return 1.0, 1.0
        square = self.std**2
        raw = (kurtosis * square**2 + 6.0 * self.mean**2 * square + self.mean**4) / self.second_moment**2
        return sampling.dispersion_tails(self.dispersion, self.rows, self.columns, raw)


def sample_of(stats: WeightStats, eps: float) -> tuple[Sample, int]:
    """The independent elements of a weight, and how often each of its rows occurs (1 unless all rows are repeated alike)."""
    columns = math.prod(stats.shape[1:]) if stats.shape else 1
    repeats = _repeats(stats, columns, eps)
    live = stats.numel - stats.zero_rows * columns
    if live <= 0:
        live = stats.numel
    mean, square = stats.mean * stats.numel / live, stats.second_moment * stats.numel / live
    sample = Sample(
        count=live // repeats,
        mean=mean,
        second_moment=square,
        largest=max(abs(stats.minimum), abs(stats.maximum)),
        reach=max(stats.maximum - mean, mean - stats.minimum),
        kurtosis=stats.kurtosis * live / stats.numel,
        eps=max(eps, sampling.EPSILON["float64"]),
        rows=(live // columns) // repeats,
        columns=columns,
        dispersion=stats.row_dispersion,
    )
    return sample, repeats


def _repeats(stats: WeightStats, columns: int, eps: float) -> int:
    """As sub-pixel kernels (ICNR) repeat each row r^2 times."""
    rows = stats.shape[0] if len(stats.shape) > 1 else 1
    if stats.zero_rows or not 1 < stats.distinct_rows < rows or rows % stats.distinct_rows:
        return 1
    return 1 if sampling.duplicate_chance(rows, columns, eps) > sampling.ALPHA else rows // stats.distinct_rows
