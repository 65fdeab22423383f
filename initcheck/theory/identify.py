"""Which schemes a weight is compatible with, from its statistics alone, for models that nobody watched being built.

Every test runs at a two-sided level of 1e-5 and at most five of them judge one tensor: less than one true scheme in ten thousand is
missed. Schemes that coincide (Xavier and LeCun on a square layer) are one group: no number of elements tells them apart.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.stats import WeightStats
from initcheck.theory import sampling
from initcheck.theory.identification.catalogue import Candidate, Group, groups
from initcheck.theory.identification.exact import exact_start
from initcheck.theory.identification.parts import parts_of
from initcheck.theory.identification.sample import CONFIDENT, Sample, sample_of
from initcheck.theory.sampling import FAMILIES, NORMAL, Family

__all__ = ["Candidate", "Group", "Identification", "identify"]

_ANYTHING = (0.0, math.inf)
_CLOSE = 1.10
"""Ratio of std up to which schemes that cannot be told apart are still an answer; beyond, there are too few elements."""


@dataclass(frozen=True, slots=True)
class Identification:
    """What the numbers of one weight allow.

    groups: all compatible schemes, those of one law together, the likeliest first. family: the law of the elements (uniform, normal,
    truncated, orthogonal, constant, identity, sparse, normalised). std, std_interval: of the elements, and where the true std lies at
    level 1e-5; infinitely wide below 8 elements. winner: the likeliest group if it beats every other law of the catalogue by 12 nats.
    confidence: by how many nats of log-likelihood the best group leads the second of the catalogue, infinite for exact starts; if a
    given other scheme of the catalogue were the true one, a lead of c over it had a chance of at most exp(-c). repeats: how often each row occurs.
    parts: of equal row blocks with scales of their own, each by itself. uneven: the rows are not drawn from one law.
    """

    groups: tuple[Group, ...]
    family: Fact[str]
    std: float
    std_interval: tuple[float, float]
    winner: Fact[Group] = Unknown("nothing is compatible")
    confidence: float = 0.0
    repeats: int = 1
    parts: tuple[Identification, ...] = ()
    uneven: bool = False

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All compatible schemes, the likeliest first."""
        return tuple(candidate for group in self.groups for candidate in group.candidates)

    @property
    def close(self) -> bool:
        """Whether all compatible schemes agree on the std to 10 %."""
        stds = [group.std for group in self.groups]
        return bool(stds) and max(stds) <= _CLOSE * min(stds)


def identify(stats: WeightStats, fan_in: int, fan_out: int, dtype_eps: float, blocks: int = 1) -> Identification:
    """Names every scheme of the catalogue that the statistics are compatible with.

    Args:
        stats: of the weight; orthogonality is recognised where `block_orthogonality` was measured.
        fan_in: fan_in as the weight is used.
        fan_out: fan_out as the weight is used, per block of a packed weight.
        dtype_eps: spacing of the dtype's numbers at 1.
        blocks: equal row blocks that the weight packs (gates; queries, keys and values), where that is known.
    """
    if stats.nonfinite or stats.numel == 0:
        reason = "the weight holds values that are not finite" if stats.nonfinite else "no elements"
        return Identification((), Unknown(reason), math.nan, _ANYTHING, Unknown(reason))
    exact = exact_start(stats, dtype_eps)
    if exact is not None:
        return _exact(stats, *exact)
    sample, repeats = sample_of(stats, dtype_eps)
    if sample.count < sampling.SMALLEST:
        reason = f"{sample.count} elements are too few to tell"
        return Identification((), Unknown(reason), sample.std, _ANYTHING, Unknown(reason))
    family = sample.family()
    if min(sample.even(_kurtosis(sample, family))) < sampling.ALPHA:
        return _uneven(stats, sample, fan_in, fan_out)
    return _drawn(sample, family, _catalogue(stats.shape, fan_in, fan_out, max(blocks, stats.blocks)), repeats)


def _exact(stats: WeightStats, family: str, candidate: Candidate) -> Identification:
    group = Group((candidate,), NORMAL, candidate.std)
    interval = (candidate.std, candidate.std)
    if family == "sparse":
        interval = sampling.std_interval(stats.std, max(stats.numel - stats.zeros, 1), NORMAL, stats.kurtosis)
    return Identification((group,), Known(family), candidate.std, interval, Known(group), math.inf)


def _catalogue(shape: tuple[int, ...], fan_in: int, fan_out: int, blocks: int) -> tuple[Group, ...]:
    """For the whole tensor as torch sees it and, where blocks are known, for one of them."""
    whole = list(groups(shape, fan_in, fan_out))
    if blocks < 2 or len(shape) < 2 or shape[0] % blocks:
        return tuple(whole)
    for group in groups((shape[0] // blocks, *shape[1:]), fan_in, fan_out):
        own = tuple(dataclasses.replace(candidate, label=f"{candidate.label} per block") for candidate in group.candidates)
        at = next((index for index, other in enumerate(whole) if _same(group, other)), None)
        if at is None:
            whole.append(Group(own, group.law, group.std))
        elif not whole[at].candidates[0].call.name.startswith(("xavier", "kaiming")) and own[0].call.name.startswith(("xavier", "kaiming")):
            whole[at] = Group(own[:1] + whole[at].candidates, group.law, group.std)
    return tuple(whole)


def _same(one: Group, other: Group) -> bool:
    return one.law is other.law and math.isclose(one.std, other.std, rel_tol=1e-9)


def _kurtosis(sample: Sample, family: Fact[Family]) -> float:
    """The known law's; of an unknown law the measured one, but no less than a normal's, so that rows are not held to too little."""
    if family.known():
        return family.get().kurtosis
    return NORMAL.kurtosis if math.isnan(sample.kurtosis) else max(sample.kurtosis, NORMAL.kurtosis)


def _drawn(sample: Sample, family: Fact[Family], catalogue: Sequence[Group], repeats: int = 1) -> Identification:
    """Of elements drawn from one law."""
    likelihoods = {id(group): sample.log_likelihood(group.law, group.std) for group in catalogue}
    compatible = [
        group for group in catalogue if (not family.known() or family.get().name == group.law.name) and sample.fits(group.law, group.std)
    ]
    compatible.sort(key=lambda group: -likelihoods[id(group)])
    confidence = 0.0
    if compatible:
        best = likelihoods[id(compatible[0])]
        confidence = best - max((value for key, value in likelihoods.items() if key != id(compatible[0])), default=-math.inf)
    law = family.get() if family.known() else NORMAL
    return Identification(
        tuple(compatible),
        Known(law.name) if family.known() else Unknown(family.reason if isinstance(family, Unknown) else ""),
        sample.std,
        sampling.std_interval(sample.std, sample.count, law, sample.kurtosis),
        _winner(sample, compatible, confidence),
        max(confidence, 0.0),
        repeats,
    )


def _winner(sample: Sample, compatible: Sequence[Group], confidence: float) -> Fact[Group]:
    if not compatible:
        return Unknown("no scheme of the catalogue fits")
    if sample.count < sampling.NAMEABLE:
        return Unknown(f"{sample.count} elements are too few to name one scheme")
    if confidence < CONFIDENT:
        return Unknown(f"{sample.count} elements do not tell {compatible[0].label} from other schemes")
    return Known(compatible[0])


def _uneven(stats: WeightStats, sample: Sample, fan_in: int, fan_out: int) -> Identification:
    """Rows of different scales: blocks that are even each by itself, or none (trained, rescaled by row)."""
    interval = sampling.std_interval(sample.std, sample.count, NORMAL, sample.kurtosis)
    parts = parts_of(stats, sample)
    if not parts:
        reason = Unknown("the rows are not drawn from one law (trained, mixed or rescaled by row)")
        return Identification((), reason, sample.std, interval, reason, uneven=True)
    catalogue = groups((stats.shape[0] // len(parts), *stats.shape[1:]), fan_in, max(fan_out // _split(stats, fan_out, len(parts)), 1))
    found = tuple(_drawn(part, _nearest(part), catalogue) for part in parts)
    reason = Unknown(f"{len(parts)} row blocks have scales of their own")
    return Identification((), reason, sample.std, interval, reason, parts=found, uneven=True)


def _split(stats: WeightStats, fan_out: int, count: int) -> int:
    """What a fan_out of the whole weight has to be divided by to be that of a block."""
    return count if fan_out == stats.shape[0] else 1


def _nearest(part: Sample) -> Fact[Family]:
    """The law by its kurtosis alone: the ends of a block are not known."""
    if part.count < sampling.LARGE:
        return Unknown(f"{part.count} elements of unknown ends are too few to tell uniform from normal")
    near = [law for law in FAMILIES if part.fits_kurtosis(law)]
    return Known(near[0]) if len({law.name for law in near}) == 1 else Unknown(f"a kurtosis of {part.kurtosis:.3g} names no law")
