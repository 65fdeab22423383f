"""Which schemes a weight is compatible with, from its statistics alone, for models that nobody watched being built.

Every test runs at a two-sided level of 1e-5 and at most three of them judge one tensor: one true scheme in ten thousand is missed.
Schemes that coincide (Xavier and LeCun on a square layer) cannot be told apart by any number of elements; all are listed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.errors import NotKnown
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.recording import InitCall
from initcheck.records.stats import WeightStats
from initcheck.theory import sampling
from initcheck.theory.fans import torch_fans
from initcheck.theory.predict import predicted
from initcheck.theory.sampling import FAMILIES, NORMAL, TRUNCATED_2, TRUNCATED_3, UNIFORM, Family

_CONFIDENT = 12.0
"""Nats between the best family and the second: wrong twice in two million tensors."""
_LARGE = 4096
"""Elements from which the kurtosis is a sound test."""
_SPARSE = 0.02
"""Share of exact zeros that no continuous law gives."""
_ANYTHING = (0.0, math.inf)
_SQRT_2, _TANH = math.sqrt(2.0), 5.0 / 3.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scheme that the statistics do not contradict; no probability is implied. `std` is what it predicts."""

    label: str
    call: InitCall
    std: float


@dataclass(frozen=True, slots=True)
class Identification:
    """What the numbers of one weight allow.

    candidates: all compatible schemes, closest std first. family: the law of the elements (uniform, normal, truncated, orthogonal,
    constant, identity). std_interval: where the true std lies, at level 1e-5; infinitely wide below 8 elements.
    """

    candidates: tuple[Candidate, ...]
    family: Fact[str]
    std_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Sample:
    """The statistics that the tests need: `largest` is the largest distance from `centre`."""

    count: int
    mean: float
    second_moment: float
    largest: float
    kurtosis: float
    eps: float


def identify(stats: WeightStats, fan_in: int, fan_out: int, dtype_eps: float) -> Identification:
    """Names every scheme of the catalogue that the statistics are compatible with.

    Args:
        stats: of the weight; orthogonality is recognised where `block_orthogonality` was measured.
        fan_in: fan_in as the weight is used.
        fan_out: fan_out as the weight is used.
        dtype_eps: spacing of the dtype's numbers at 1.
    """
    if stats.nonfinite or stats.numel == 0:
        return Identification((), Unknown("the weight holds values that are not finite" if stats.nonfinite else "no elements"), _ANYTHING)
    exact = _exact(stats, dtype_eps)
    if exact is not None:
        return exact
    if stats.numel < sampling.SMALLEST:
        return Identification((), Unknown(f"{stats.numel} elements are too few to tell"), _ANYTHING)
    sample = _Sample(
        stats.numel, stats.mean, stats.second_moment, max(abs(stats.minimum), abs(stats.maximum)), stats.kurtosis, max(dtype_eps, 2.0**-52)
    )
    family = _family(stats, sample)
    found = [
        Candidate(label, call, std)
        for label, call, law, std in _catalogue(stats.shape, fan_in, fan_out)
        if _compatible(sample, law, std, family)
    ]
    rms = math.sqrt(sample.second_moment)
    found.sort(key=lambda candidate: abs(math.log(candidate.std / rms)))
    return Identification(tuple(found), family, _interval(stats, family))


def _exact(stats: WeightStats, eps: float) -> Identification | None:
    """What needs no statistics: constants, the identity, orthogonal matrices."""
    if stats.constant:
        value = stats.mean
        call = InitCall("zeros_") if value == 0.0 else InitCall("ones_") if value == 1.0 else InitCall("constant_", (("val", value),))
        return Identification((Candidate("constant", call, 0.0),), Known("constant"), (0.0, 0.0))
    if len(stats.shape) >= 2:
        ones = min(stats.shape[0], stats.shape[1])
        ones_only = stats.minimum == 0.0 and stats.maximum == 1.0 and stats.numel - stats.zeros == ones
        if ones_only and math.isclose(stats.second_moment * stats.numel, ones, rel_tol=1e-6):
            call = InitCall("eye_") if len(stats.shape) == 2 else InitCall("dirac_", (("groups", 1),))
            return Identification((Candidate("identity", call, stats.std),), Known("identity"), (stats.std, stats.std))
    if stats.numel >= sampling.FAMILIAR and stats.zeros > _SPARSE * stats.numel:
        share = stats.zeros / stats.numel
        std = math.sqrt(stats.second_moment / (1.0 - share))
        call = InitCall("sparse_", (("sparsity", round(share, 4)), ("std", std)))
        return Identification((Candidate("sparse or masked", call, stats.std),), Known("sparse"), _interval(stats, Unknown("sparse")))
    if _orthogonal(stats, eps):
        gain = math.sqrt(sum(value * value for value in stats.block_gain) / len(stats.block_gain))
        std = math.sqrt(stats.second_moment)
        call = InitCall("orthogonal_", (("gain", round(gain, 6)),))
        return Identification((Candidate("orthogonal", call, std),), Known("orthogonal"), (std, std))
    return None


def _orthogonal(stats: WeightStats, eps: float) -> bool:
    if not stats.block_orthogonality or not stats.block_gain or len(stats.shape) < 2:
        return False
    rows, columns = stats.shape[0] // max(stats.blocks, 1), math.prod(stats.shape[1:])
    small, large = min(rows, columns), max(rows, columns)
    # Two random rows are now and then orthogonal by chance; three are not.
    limit = min(max(20.0 * eps, 1e-5), 0.02 * math.sqrt((small + 1) / large)) if small >= 3 else 0.0
    return max(stats.block_orthogonality) < limit


def _family(stats: WeightStats, sample: _Sample) -> Fact[str]:
    """The law of the elements by profile likelihood, the scale fitted."""
    if sample.count < sampling.FAMILIAR:
        return Unknown(f"{sample.count} elements are too few to tell uniform from normal")
    centre = 0.0 if _centred(sample, math.sqrt(sample.second_moment)) else stats.mean
    variance = sample.second_moment - centre * centre if centre == 0.0 else stats.std**2
    largest = max(stats.maximum - centre, centre - stats.minimum)
    scores = sorted(((_log_likelihood(law, variance, largest), index) for index, law in enumerate(FAMILIES)), reverse=True)
    best = FAMILIES[scores[0][1]]
    # How near a normal is cut decides nothing here: both cuts are `truncated`.
    rival = next(score for score, index in scores if FAMILIES[index].name != best.name)
    if sample.count >= _LARGE and not _fits_kurtosis(sample, best):
        return Unknown(f"a kurtosis of {sample.kurtosis:.3g} fits neither uniform nor normal values (trained, mixed or masked?)")
    if sample.count * (scores[0][0] - rival) < _CONFIDENT:
        return Unknown(f"{sample.count} elements do not tell {best.name} from its rivals")
    return Known(best.name)


def _log_likelihood(law: Family, variance: float, largest: float) -> float:
    """Per element, in nats, at the scale that fits best."""
    if law is NORMAL:
        return -0.5 * math.log(2.0 * math.pi * math.e * variance)
    if law is UNIFORM:
        return -math.log(2.0 * largest)
    cut = law.bound * law.shrink
    scale = max(math.sqrt(variance), largest / cut)
    return -math.log(scale * math.sqrt(2.0 * math.pi) * math.erf(cut / _SQRT_2)) - variance / (2.0 * scale * scale)


def _fits_kurtosis(sample: _Sample, law: Family) -> bool:
    return abs(sample.kurtosis - law.kurtosis) <= sampling.kurtosis_tolerance(law, sample.count) + 10.0 * sample.eps


def _centred(sample: _Sample, std: float) -> bool:
    return abs(sample.mean) <= sampling.mean_tolerance(sample.count, std, sample.eps)


def _compatible(sample: _Sample, law: Family, std: float, family: Fact[str]) -> bool:
    if family.known() and family.get() != law.name:
        return False
    if sample.count >= _LARGE and not _fits_kurtosis(sample, law):
        return False
    if not _centred(sample, std):
        return False
    if min(sampling.scale_tails(sample.second_moment / (std * std), sample.count, law)) < sampling.ALPHA / 2.0:
        return False
    return _within_bound(sample, law, std)


def _within_bound(sample: _Sample, law: Family, std: float) -> bool:
    if math.isinf(law.bound):
        return True
    share = sample.largest / (law.bound * std)
    # Rounding to the dtype may push the largest value over the bound.
    if share > 1.0 + 2.0 * sample.eps:
        return False
    return law is not UNIFORM or min(1.0, share * (1.0 + sample.eps)) ** sample.count >= sampling.ALPHA


def _interval(stats: WeightStats, family: Fact[str]) -> tuple[float, float]:
    name = family.get() if family.known() else ""
    law = {"uniform": UNIFORM, "truncated": TRUNCATED_2}.get(name, NORMAL)
    return sampling.std_interval(stats.std, stats.numel, law, stats.kurtosis)


def _catalogue(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Iterator[tuple[str, InitCall, Family, float]]:
    """Label, call, law and std of every scheme that is in use; torch's own functions first."""
    for label, call, law in _torch_calls():
        found = predicted(call, shape)
        if found is not None:
            yield label, call, law, found.std
    used = (
        (f"1/sqrt(fan_in {fan_in})", fan_in, 1.0),
        (f"sqrt(2/fan_in {fan_in})", fan_in, _SQRT_2),
        (f"sqrt(2/fan_out {fan_out})", fan_out, _SQRT_2),
    )
    for text, fan, gain in used:
        std = gain / math.sqrt(fan)
        yield f"truncated normal, std {text}", _cut_call(std), TRUNCATED_2, std
        if _differs(shape, fan_in, fan_out):
            bound = math.sqrt(3.0) * std
            yield f"normal, std {text}", InitCall("normal_", (("mean", 0.0), ("std", std))), NORMAL, std
            yield f"uniform, std {text}", InitCall("uniform_", (("a", -bound), ("b", bound))), UNIFORM, std
    # Transformers' own lecun_normal_ corrects for a truncation that its bounds never make.
    wide = 1.0 / (TRUNCATED_2.shrink * math.sqrt(fan_in))
    yield "lecun_normal without its truncation", InitCall("normal_", (("mean", 0.0), ("std", wide))), NORMAL, wide


def _torch_calls() -> Iterator[tuple[str, InitCall, Family]]:
    for name, law in (("uniform", UNIFORM), ("normal", NORMAL)):
        for mode, nonlinearity in (("fan_in", "relu"), ("fan_out", "relu"), ("fan_in", "linear")):
            kaiming = (("a", 0.0), ("mode", mode), ("nonlinearity", nonlinearity))
            text = nonlinearity if mode == "fan_in" else f"{mode}, {nonlinearity}"
            yield f"kaiming_{name}({text})", InitCall(f"kaiming_{name}_", kaiming), law
        for text, gain in (("", 1.0), ("(gain=√2)", _SQRT_2), ("(gain=5/3)", _TANH)):
            yield f"xavier_{name}{text}", InitCall(f"xavier_{name}_", (("gain", gain),)), law
    default = (("a", math.sqrt(5.0)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu"))
    yield "kaiming_uniform(a=√5)", InitCall("kaiming_uniform_", default), UNIFORM
    for std in (0.01, 0.02, 1.0):
        yield f"normal(0, {std:g})", InitCall("normal_", (("mean", 0.0), ("std", std))), NORMAL
    for reach, law in ((0.04, TRUNCATED_2), (0.06, TRUNCATED_3)):
        cut = (("mean", 0.0), ("std", 0.02), ("a", -reach), ("b", reach))
        yield f"trunc_normal(0, 0.02, -{reach}…{reach})", InitCall("trunc_normal_", cut), law
    yield "uniform(-0.05, 0.05)", InitCall("uniform_", (("a", -0.05), ("b", 0.05))), UNIFORM


def _cut_call(std: float) -> InitCall:
    """A normal cut at two standard deviations and widened so that `std` is what is left, as Keras and JAX do it."""
    before = std / TRUNCATED_2.shrink
    return InitCall("trunc_normal_", (("mean", 0.0), ("std", before), ("a", -2.0 * before), ("b", 2.0 * before)))


def _differs(shape: tuple[int, ...], fan_in: int, fan_out: int) -> bool:
    try:
        fans = torch_fans(shape)
    except NotKnown:
        return True
    return (fans.fan_in, fans.fan_out) != (fan_in, fan_out)
