"""Packed weights: equal row blocks, each drawn from one law, with scales of their own (gates, queries and keys and values)."""

from __future__ import annotations

import dataclasses
import math

from initcheck.records.stats import WeightStats
from initcheck.theory import sampling
from initcheck.theory.identification.sample import Sample

_COUNTS = (2, 3, 4)


def parts_of(stats: WeightStats, sample: Sample) -> tuple[Sample, ...]:
    """The fewest row blocks that are even each by itself; empty where no split explains the unevenness.

    Args:
        stats: of the weight, with its row profile.
        sample: of the same weight; its rows were found to be uneven.
    """
    rows = stats.shape[0]
    if stats.zero_rows or sample.rows != rows or sample.columns < sampling.ROW or math.isnan(sample.kurtosis):
        return ()
    for count in _COUNTS:
        if not stats.row_profile or len(stats.row_profile) % count:
            continue
        size = len(stats.row_profile) // count
        squares = [sum(stats.row_profile[start : start + size]) / size for start in range(0, len(stats.row_profile), size)]
        kurtosis = _block_kurtosis(sample, squares)
        if _explained(sample, squares, kurtosis):
            return tuple(_part(sample, square, kurtosis, count) for square in squares)
    return ()


def _block_kurtosis(sample: Sample, squares: list[float]) -> float:
    """A mixture of scales has the kurtosis of its law times E[s^4] / E[s^2]^2."""
    level = sum(squares) / len(squares)
    return sample.kurtosis * level**2 / (sum(square**2 for square in squares) / len(squares))


def _explained(sample: Sample, squares: list[float], kurtosis: float) -> bool:
    """Whether what is left of the rows' variance within the blocks is that of one law each: gamma-matched sum of scaled chi-squares."""
    if min(squares) <= 0.0 or kurtosis <= 1.0:
        return False
    level = sum(squares) / len(squares)
    between = sum((square / level - 1.0) ** 2 for square in squares) / len(squares)
    within = sample.rows * level**2 * max(sample.dispersion - between, 0.0)
    free = sample.rows / len(squares) - 1.0
    second, fourth = sum(square**2 for square in squares), sum(square**4 for square in squares)
    statistic = within * sample.columns / (kurtosis - 1.0)
    dof = free * second**2 / fourth
    return min(sampling.chi_square_tails(statistic * second / fourth, dof)) >= sampling.ALPHA


def _part(sample: Sample, square: float, kurtosis: float, count: int) -> Sample:
    return dataclasses.replace(
        sample,
        count=sample.count // count,
        mean=0.0,
        second_moment=square,
        largest=math.inf,
        reach=math.inf,
        kurtosis=kurtosis,
        rows=sample.rows // count,
        dispersion=math.nan,
    )
