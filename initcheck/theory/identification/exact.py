"""Starts that need no statistics to be recognised: constants, identities, orthogonal matrices, sparse ones, rows of one length."""

from __future__ import annotations

import math

from initcheck.records.recording import InitCall
from initcheck.records.stats import WeightStats
from initcheck.theory import sampling
from initcheck.theory.identification.catalogue import Candidate

_SPARSE = 0.02
"""Share of exact zeros that no continuous law gives."""


def exact_start(stats: WeightStats, eps: float) -> tuple[str, Candidate] | None:
    """The kind of start and how it is written, or nothing where statistics have to tell.

    Args:
        stats: of a weight with finite elements.
        eps: spacing of the dtype's numbers at 1.
    """
    return _constant(stats) or _identity(stats) or _orthogonal(stats, eps) or _sparse(stats, eps) or _normalised(stats, eps)


def _constant(stats: WeightStats) -> tuple[str, Candidate] | None:
    if not stats.constant:
        return None
    value = stats.mean
    if value in (0.0, 1.0):
        name = "zeros" if value == 0.0 else "ones"
        return "constant", Candidate(name, InitCall(f"{name}_"), 0.0)
    return "constant", Candidate(f"constant({value:.4g})", InitCall("constant_", (("val", value),)), 0.0)


def _identity(stats: WeightStats) -> tuple[str, Candidate] | None:
    if stats.diagonal is None or len(stats.shape) < 2:
        return None
    plain = len(stats.shape) == 2 and stats.diagonal_groups == 1
    call = InitCall("eye_") if plain else InitCall("dirac_", (("groups", stats.diagonal_groups),))
    label = "identity" if plain else "dirac" if stats.diagonal_groups == 1 else f"dirac(groups={stats.diagonal_groups})"
    return "identity", Candidate(label if stats.diagonal == 1.0 else f"{label} × {stats.diagonal:.4g}", call, stats.std)


def _orthogonal(stats: WeightStats, eps: float) -> tuple[str, Candidate] | None:
    if not stats.block_orthogonality or not stats.block_gain or len(stats.shape) < 2:
        return None
    rows, columns = stats.shape[0] // max(stats.blocks, 1), stats.shape[1] if stats.centre_tap else math.prod(stats.shape[1:])
    if max(stats.block_orthogonality) >= sampling.orthogonality_tolerance(min(rows, columns), max(rows, columns), eps):
        return None
    gain = math.sqrt(sum(value * value for value in stats.block_gain) / len(stats.block_gain))
    name = "delta-orthogonal" if stats.centre_tap else "orthogonal"
    text = name if abs(gain - 1.0) < 1e-3 else f"{name}(gain={gain:.4g})"
    label = text if stats.blocks == 1 else f"{text} in each of {stats.blocks} blocks"
    return "orthogonal", Candidate(label, InitCall("orthogonal_", (("gain", round(gain, 6)),)), math.sqrt(stats.second_moment))


def _sparse(stats: WeightStats, eps: float) -> tuple[str, Candidate] | None:
    """Rows that are zero as a whole (padding entries, pruned units) are left to the statistics of the others."""
    columns = math.prod(stats.shape[1:]) if stats.shape else 1
    count = stats.numel - stats.zero_rows * columns
    zeros = stats.zeros - stats.zero_rows * columns
    if count < sampling.SMALLEST or zeros <= max(_SPARSE * count, sampling.zero_tolerance(count, eps)):
        return None
    share = zeros / count
    std = math.sqrt(stats.second_moment * stats.numel / (count - zeros))
    # sparse_ puts equally many zeros into every column; pruning and masks do so by chance only.
    even = len(stats.shape) == 2 and stats.zeros % stats.shape[1] == 0
    label = f"sparse({share:.3g}, {std:.3g})" if even else f"masked or pruned, {100 * share:.0f} % zeros"
    return "sparse", Candidate(label, InitCall("sparse_", (("sparsity", round(share, 4)), ("std", std))), stats.std)


def _normalised(stats: WeightStats, eps: float) -> tuple[str, Candidate] | None:
    """All rows of one length, to rounding: `w / w.norm(dim=1)`."""
    columns = math.prod(stats.shape[1:]) if stats.shape else 1
    if columns < 3 or stats.shape[0] < 3 or math.isnan(stats.row_dispersion) or stats.zero_rows:
        return None
    # Rounding moves the mean square of a row by about eps / sqrt(columns); independent elements by 0.9 / sqrt(columns) at least.
    if stats.row_dispersion > max(4.0 * eps**2 / columns, 1e-11):
        return None
    length = math.sqrt(stats.second_moment * columns)
    call = InitCall("normalize", (("length", round(length, 6)),))
    return "normalised", Candidate(f"rows of length {length:.4g}", call, math.sqrt(stats.second_moment))
