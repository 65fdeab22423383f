"""What a verification says in sentences, the same in every format."""

from __future__ import annotations

import math

from initcheck.records.verification import Comparison, VariantResult, Verification
from initcheck.report.style import number

MARKS = {"IMPROVED": "✓", "NO DIFFERENCE": "=", "WORSE": "✗", "INCONCLUSIVE": "?"}
LEARNT = 0.05
"""A score that is not so much above guessing is taken as such."""

SHORT = 70
"""Steps below which a run is called short."""

KINDS = {"IMPROVED": "good", "NO DIFFERENCE": "strong", "WORSE": "error", "INCONCLUSIVE": "warning"}
"""The colour of each verdict, by the names of `Style`."""


def data(verification: Verification) -> str:
    """Which data were used: the first thing that is said."""
    found = verification.data
    if verification.task != "digits":
        return f"none: {found.origin}"
    return (
        f"{found.name}, {found.origin}: {found.train:,} images to train on, {found.held_back:,} held back to choose the rate, "
        f"{found.test:,} for the figures; guessing gives {percent(found.chance)}"
    )


def runs(verification: Verification) -> str:
    """How much was trained."""
    plan = verification.plan
    if plan is None:
        return "none"
    length = f"{plan.steps} steps of {plan.batch} ({plan.epochs:.2g} epochs)" if plan.epochs else f"{plan.steps} steps"
    optimizer = "AdamW" if plan.optimizer == "adamw" else "SGD, momentum 0.9"
    count = f"{len(plan.seeds)} {'seed' if len(plan.seeds) == 1 else 'seeds'}"
    return f"2 variants × {len(plan.rates)} learning rates × {count} × {length}, {optimizer}, the rate falling in the second half"


def verdict(verification: Verification) -> str:
    """The verdict with its figures."""
    found = verification.comparison
    if math.isnan(found.difference):
        return f"{found.verdict}: {found.reason}"
    if not found.counted:
        return f"{found.verdict}: {found.reason}"
    bounds = f"95 % interval {signed(found.low)} to {signed(found.high)}, {found.counted} seeds"
    points = "points at each variant's best rate"
    if found.verdict == "IMPROVED":
        return f"IMPROVED by {found.difference:.1f} {points} ({bounds})"
    if found.verdict == "WORSE":
        return f"WORSE by {-found.difference:.1f} {points} ({bounds})"
    if found.verdict == "NO DIFFERENCE":
        return f"NO DIFFERENCE: {signed(found.difference)} {points} ({bounds}; within ±{found.margin:g} counts as none)"
    return f"INCONCLUSIVE: {signed(found.difference)} {points} ({bounds}): {found.reason}"


def remarks(verification: Verification) -> tuple[str, ...]:
    """What else is worth knowing: speed, robustness to the rate, runs that diverged, and what to do next."""
    if len(verification.results) < 2:
        return (*verification.notes, *_next(verification))
    before, after = verification.results
    found = [*_speed(before, after), *_robustness(before, after)]
    for one in (before, after):
        broken = [rate for rate in one.rates if rate.diverged]
        if broken:
            told = ", ".join(f"{rate.rate:g} ({rate.diverged} of {verification.comparison.counted} runs)" for rate in broken)
            found.append(f"`{one.name}` diverges at lr {told}; such a run counts as guessing")
    if verification.task == "digits" and all(one.score < verification.data.chance + LEARNT for one in verification.results):
        found.append("neither variant learns: both are near guessing")
    return (*found, *verification.notes, *_next(verification))


def percent(share: float) -> str:
    """`97.1 %`."""
    return f"{100 * share:.1f} %"


def signed(points: float) -> str:
    """`+1.2`, `-0.3` with a true minus sign."""
    return f"{points:+.1f}".replace("-", "−")


def losses(found: VariantResult) -> str:
    """`2.43 → 0.06`."""
    return f"{number(found.first)} → {number(found.last)}"


def _speed(before: VariantResult, after: VariantResult) -> list[str]:
    found = []
    if math.isfinite(before.area) and math.isfinite(after.area):
        found.append(f"mean loss over the whole run: {number(before.area)} before, {number(after.area)} after")
    if before.reached is not None or after.reached is not None:
        told = [f"{one.reached:.2g}" if one.reached is not None else "never" for one in (before, after)]
        found.append(f"epochs until 90 % of the held-back images are right: {told[0]} before, {told[1]} after")
    return found


def _robustness(before: VariantResult, after: VariantResult) -> list[str]:
    if len(before.rates) < 2:
        return []
    counts = [f"{len(one.usable)} of {len(one.rates)}" for one in (before, after)]
    return [f"rates within 2 points of its own best: {counts[0]} before, {counts[1]} after"]


def _next(verification: Verification) -> tuple[str, ...]:
    found: Comparison = verification.comparison
    if found.verdict == "INCONCLUSIVE" and verification.complete and verification.plan is not None and not math.isnan(found.difference):
        if verification.plan.steps < SHORT and not verification.wish.epochs:
            return (f"runs of {verification.plan.steps} steps are short: --budget {4 * verification.wish.budget:g}s makes them longer",)
        more = max(5, 2 * len(verification.plan.seeds))
        return (f"more seeds narrow the interval: initcheck verify --seeds {more} --budget {2 * verification.wish.budget:g}s",)
    if not verification.complete:
        factor = 4 if not found.counted else 2
        return (f"--budget {factor * verification.wish.budget:g}s gives it the time that this machine needs",)
    least = verification.data.chance + LEARNT
    edge = [
        one
        for one in verification.results
        if len(one.rates) > 2 and one.score > least and one.best in (one.rates[0].rate, one.rates[-1].rate)
    ]
    if edge and found.verdict != "NO DIFFERENCE":
        names = " and ".join(f"`{one.name}`" for one in edge)
        return (f"the best rate of {names} is the last of the sweep: a wider one may change the figures (initcheck verify --lrs)",)
    return ()
