"""What is trained for how long: chosen from counted work and the budget alone, never from a clock."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.errors import TargetError
from initcheck.records.verification import DataSummary, Optimizer, TrainingPlan, Wish
from initcheck.verify.scores import LOOKS, WATCHED

STEPS = (560, 420, 280, 210, 140, 105, 70, 50, 35, 25)
"""Lengths of a run that are tried, the longest first: a coarse scale, so that a small change of a model does not change the plan."""

RATES: dict[Optimizer, tuple[float, ...]] = {"adamw": (0.0003, 0.001, 0.003, 0.01), "sgd": (0.003, 0.01, 0.03, 0.1)}
"""The sweep: four rates, each about three times the one before."""

FEW = 2
"""Rates that are tried where four are too many: the middle ones."""

SEEDS, MANY_SEEDS, LONG = 3, 5, 280
"""Seeds unless told otherwise: three, and five where runs of so many steps can be had with five."""

SHARE = 0.35
"""Share of the budget that the counted work may take, for machines that are slower or busier than the nominal one."""


def plan(wish: Wish, seed: int, data: DataSummary, costs: Sequence[tuple[float, float]]) -> TrainingPlan:
    """The longest runs that fit the budget, with all rates if that can be.

    Args:
        wish: what was asked for; rates and epochs that were named are kept whatever they cost.
        seed: the first of the seeds.
        data: the sizes of the sets; `train` 0 for random targets, which have one batch of their own.
        costs: of each variant, the seconds of the nominal processor for a step and for the evaluation of an image.

    Raises:
        TargetError: when not even the shortest runs fit.
    """
    rates = wish.rates or RATES[wish.optimizer]
    batch = min(wish.batch, data.train) if data.train else wish.batch

    def planned(steps: int, rates: tuple[float, ...], seeds: int) -> TrainingPlan:
        epochs = steps * batch / data.train if data.train else 0.0
        numbers = tuple(range(seed, seed + seeds))
        return TrainingPlan(wish.optimizer, rates, numbers, steps, batch, epochs, work(steps, len(rates) * seeds, data, costs))

    few = wish.seeds or SEEDS
    if wish.epochs:
        return planned(max(1, round(wish.epochs * data.train / batch)) if data.train else max(1, round(wish.epochs)), rates, few)
    middle = rates if wish.rates else rates[(len(rates) - FEW) // 2 :][:FEW]
    long = tuple(steps for steps in STEPS if steps >= LONG)
    ladder = [(long, rates, MANY_SEEDS)] if not wish.seeds else []
    for lengths, chosen, seeds in (*ladder, (STEPS, rates, few), (STEPS, middle, few)):
        for steps in lengths:
            found = planned(steps, chosen, seeds)
            if found.work <= SHARE * wish.budget:
                return found
    least = planned(STEPS[-1], middle, few).work / SHARE
    raise TargetError(
        f"the model is too large for a budget of {wish.budget:g} s: {2 * len(middle) * few} trainings of {STEPS[-1]} steps"
        f" need about {least:,.0f} s",
        f"--budget {_rounded(least):g}s, or verify a smaller model of the same kind: 'model.py::Net(width=64)'",
        name="over-budget",
    )


def work(steps: int, runs: int, data: DataSummary, costs: Sequence[tuple[float, float]]) -> float:
    """Seconds of the nominal processor for so many runs of each variant."""
    looked = (LOOKS - 1) * min(WATCHED, data.held_back) + data.held_back + data.test if data.train else LOOKS + 1
    return sum(runs * (steps * step + looked * image) for step, image in costs)


def _rounded(seconds: float) -> float:
    """Up to a number that is easy to type."""
    for unit in (10, 60, 600):
        if seconds <= 10 * unit:
            break
    return float(-(-seconds // unit) * unit)
