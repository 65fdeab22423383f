"""The verdict: plain arithmetic on the scores of the runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy.special import ndtri, stdtrit

from initcheck.records.verification import (
    AFTER,
    BEFORE,
    Comparison,
    RateResult,
    TrainingPlan,
    TrainingRun,
    VariantResult,
    Verdict,
)
from initcheck.verify.scores import DECIDES, MARGIN, NINE_TENTHS, SMALLEST

CONFIDENCE = 0.95

Hits = Mapping[tuple[str, float, int], bytes]
"""(variant, rate, seed) -> for each test image 1 if it was recognised, 0 if not."""


def result(name: str, runs: Sequence[TrainingRun], plan: TrainingPlan) -> VariantResult:
    """One variant over all its runs."""
    own = [run for run in runs if run.variant == name]
    rates = tuple(_at_rate(rate, [run for run in own if run.rate == rate]) for rate in plan.rates)
    best = max(rates, key=lambda one: (one.held, -one.rate))
    chosen = [run for run in own if run.rate == best.rate]
    scores = [chosen_run(runs, name, seed).score for seed in dict.fromkeys(run.seed for run in own)]
    last = [run.losses[-1] if run.losses and run.state == "finished" else math.inf for run in chosen]
    return VariantResult(
        name=name,
        best=best.rate,
        score=statistics.fmean(scores),
        deviation=statistics.stdev(scores) if len(scores) > 1 else 0.0,
        first=statistics.fmean(run.first for run in chosen),
        last=statistics.fmean(last),
        area=statistics.fmean(run.area for run in chosen),
        reached=_reached(chosen, plan),
        rates=rates,
        usable=tuple(one.rate for one in rates if 100 * (best.held - one.held) <= MARGIN),
    )


def chosen_run(runs: Sequence[TrainingRun], name: str, seed: int) -> TrainingRun:
    """The run of a variant and seed at the rate with the highest score on the held-back images, the lower of equals.

    The test takes no part in the choice, so that its score is not flattered by it. Every seed chooses for itself: a choice shared by all
    would be a matter of luck that their spread does not show, and one variant in eight would seem to differ from itself.
    """
    return max((run for run in runs if run.variant == name and run.seed == seed), key=lambda run: (_final(run), -run.rate))


def compare(runs: Sequence[TrainingRun], hits: Hits, seeds: Sequence[int]) -> Comparison:
    """Pairs the seeds of both variants, each run at its own best rate, and judges the mean difference by its 95 % interval.

    Two errors are put together. That of the seeds: Student's t over the paired differences. That of the images: the deviation of the
    mean difference over the test images, which bounds from below how well so many images can tell two models apart (with few seeds the
    first may be small by chance). The larger of both half-widths is the interval's.
    """
    pairs = [(chosen_run(runs, BEFORE, seed), chosen_run(runs, AFTER, seed)) for seed in seeds]
    by_seed = tuple(100 * (second.score - first.score) for first, second in pairs)
    difference = statistics.fmean(by_seed)
    count = len(by_seed)
    seed_error = statistics.stdev(by_seed) / math.sqrt(count) if count > 1 else math.inf
    image_error = 100 * _image_error([(hits[_key(first)], hits[_key(second)]) for first, second in pairs])
    half = max(student(count - 1) * seed_error, normal() * image_error) if count > 1 else math.inf
    verdict, reason = judged(difference, difference - half, difference + half, count)
    return Comparison(
        verdict, reason, difference, difference - half, difference + half, by_seed, seed_error, image_error, count, MARGIN, SMALLEST
    )


def judged(difference: float, low: float, high: float, count: int) -> tuple[Verdict, str]:
    """The verdict of an interval (points), and its reason in words."""
    if count < DECIDES:
        return "INCONCLUSIVE", f"one seed alone says nothing of chance; at least {DECIDES} are needed"
    if low > 0 and difference >= SMALLEST:
        return "IMPROVED", "the interval of the difference lies above zero"
    if high < 0 and difference <= -SMALLEST:
        return "WORSE", "the interval of the difference lies below zero"
    if low >= -MARGIN and high <= MARGIN:
        return "NO DIFFERENCE", f"the interval of the difference lies within ±{MARGIN:g} points"
    return "INCONCLUSIVE", f"the interval of the difference holds zero and reaches beyond ±{MARGIN:g} points"


def same() -> Comparison:
    """The comparison of two variants that hold the same weights."""
    reason = "both variants hold the same weights: nothing was trained"
    return Comparison("NO DIFFERENCE", reason, 0.0, 0.0, 0.0, (), 0.0, 0.0, 0, MARGIN, SMALLEST)


def unfinished(counted: int, planned: int) -> Comparison:
    """The comparison when the budget ended before enough seeds were complete."""
    return undecided(f"the budget ended after {counted} of {planned} seeds; at least {DECIDES} are needed", counted)


def undecided(reason: str, counted: int) -> Comparison:
    """A comparison without figures."""
    nan = math.nan
    return Comparison("INCONCLUSIVE", reason, nan, nan, nan, (), nan, nan, counted, MARGIN, SMALLEST)


def student(freedom: int) -> float:
    """The two-sided quantile of Student's t."""
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def normal() -> float:
    """The two-sided quantile of the normal distribution."""
    return float(ndtri((1 + CONFIDENCE) / 2))


def _key(run: TrainingRun) -> tuple[str, float, int]:
    return run.variant, run.rate, run.seed


def _final(run: TrainingRun) -> float:
    """The score on the held-back images at the end; nothing for a run that diverged."""
    return run.held[-1] if run.state == "finished" and run.held else 0.0


def _at_rate(rate: float, runs: Sequence[TrainingRun]) -> RateResult:
    scores = [run.score for run in runs]
    held = [_final(run) for run in runs]
    deviation = statistics.stdev(scores) if len(scores) > 1 else 0.0
    diverged = sum(run.state == "diverged" for run in runs)
    return RateResult(rate, statistics.fmean(held), statistics.fmean(scores), deviation, diverged)


def _reached(runs: Sequence[TrainingRun], plan: TrainingPlan) -> float | None:
    """Epochs until nine tenths of the held-back images are right, median over the seeds; None where most never get there."""
    times = []
    for run in runs:
        part = next((index for index, held in enumerate(run.held, 1) if held >= NINE_TENTHS), None)
        times.append(math.inf if part is None or run.state != "finished" else plan.epochs * part / max(len(run.held), 1))
    median = statistics.median(times)
    return None if math.isinf(median) or not plan.epochs else median


def _image_error(pairs: Sequence[tuple[bytes, bytes]]) -> float:
    """The standard error over the test images of the mean difference of hits; 0 where there are no images."""
    size = min((len(first) for first, _ in pairs), default=0)
    if size < 2:
        return 0.0
    means = [statistics.fmean(second[image] - first[image] for first, second in pairs) for image in range(size)]
    return statistics.stdev(means) / math.sqrt(size)
