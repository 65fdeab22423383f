"""What is trained for how long: chosen from counted work and the budget alone, never from a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.errors import TargetError
from initcheck.records.verification import DataSummary, Optimizer, TrainingPlan, Wish
from initcheck.verify.scores import LOOKS

STEPS = (560, 420, 280, 210, 140, 105, 70, 50, 35, 25)
"""Lengths of a run that are tried, the longest first: a coarse scale, so that a small change of a model does not change the plan."""

RATES: dict[Optimizer, tuple[float, ...]] = {"adamw": (0.0003, 0.001, 0.003, 0.01), "sgd": (0.003, 0.01, 0.03, 0.1)}
"""The sweep: four rates, each about three times the one before."""

LOWER = (0.00003, 0.0001)
"""The rates below those of AdamW, for deep networks."""

DEEP = (12, 30)
"""Weight matrices beyond which the rates of AdamW begin at a third and at a tenth: a step of that size in each of many layers adds up, and
the usual rates of deep transformers are lower by as much."""

FEW = 2
"""Rates that are tried where four are too many: the middle ones."""

SEEDS, FEW_SEEDS = 5, 3
"""Seeds unless told otherwise, and where steps are dear."""

ENOUGH, SHORT = 70, 50
"""Steps below which fewer seeds are trained longer, and below which fewer rates are."""

SHARE, TIGHT = 0.6, 0.9
"""Share of the budget that the counted work may take, for machines that are slower or busier than the nominal one; and the share that it may
take at the very most, with the least that is trained at all."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a batch, and the most images that are looked at on the way, at the end to choose the rate, and for the figures."""

    batch: int
    watched: int
    held: int
    tested: int


FULL, LIGHT = Effort(64, 250, 1000, 10_000), Effort(32, 0, 250, 500)
"""For most models, and for those whose single step is dear."""


def sweep(optimizer: Optimizer, matrices: int) -> tuple[float, ...]:
    """The rates that are tried on a network of so many weight matrices."""
    lower = sum(matrices > limit for limit in DEEP) if optimizer == "adamw" else 0
    return (*LOWER[len(LOWER) - lower :], *RATES[optimizer])[: len(RATES[optimizer])]


def plan(wish: Wish, seed: int, data: DataSummary, costs: Sequence[tuple[float, float]], matrices: int = 0) -> TrainingPlan:
    """The longest runs that fit the budget, with all rates if that can be.

    Args:
        wish: what was asked for; rates and epochs that were named are kept whatever they cost.
        seed: the first of the seeds.
        data: the sizes of the sets; `train` 0 for random targets, which have one batch of their own.
        costs: of each variant, the seconds of the nominal processor for a step on `FULL.batch` samples and for the evaluation of an image.
        matrices: weight matrices that are trained.

    Raises:
        TargetError: when not even the shortest runs fit.
    """
    rates = wish.rates or sweep(wish.optimizer, matrices)
    many, few = wish.seeds or SEEDS, wish.seeds or FEW_SEEDS
    middle = rates if wish.rates else rates[(len(rates) - FEW) // 2 :][:FEW]
    if wish.epochs:
        batch = min(FULL.batch, data.train) or 1
        steps = max(1, round(wish.epochs * data.train / batch)) if data.train else max(1, round(wish.epochs))
        return _planned(wish, data, costs, steps, rates, range(seed, seed + many), FULL)
    long, short = (tuple(steps for steps in STEPS if steps >= least) for least in (ENOUGH, SHORT))
    ladder = [(long, rates, many, FULL, SHARE), (short, rates, few, FULL, SHARE), (STEPS, middle, few, FULL, SHARE)]
    ladder += [(STEPS, middle, few, LIGHT, SHARE), (STEPS[-1:], middle, few, LIGHT, TIGHT)]
    for lengths, chosen, seeds, effort, share in ladder:
        for steps in lengths:
            found = _planned(wish, data, costs, steps, chosen, range(seed, seed + seeds), effort)
            if found.work <= share * wish.budget:
                return found
    least = _planned(wish, data, costs, STEPS[-1], middle, range(seed, seed + few), LIGHT)
    needed = least.work / TIGHT
    raise TargetError(
        f"the model is too large for a budget of {wish.budget:g} s: {least.runs} trainings of {least.steps} steps"
        f" need about {needed:,.0f} s",
        f"--budget {_rounded(needed):g}s, or verify a smaller model of the same kind: 'model.py::Net(width=64)'",
        name="over-budget",
    )


def _planned(
    wish: Wish,
    data: DataSummary,
    costs: Sequence[tuple[float, float]],
    steps: int,
    rates: tuple[float, ...],
    seeds: range,
    effort: Effort,
) -> TrainingPlan:
    batch = min(effort.batch, data.train) if data.train else effort.batch
    watched, held, tested = min(effort.watched, data.held_back), min(effort.held, data.held_back), min(effort.tested, data.test)
    looked = (LOOKS - 1) * watched + held + tested if data.train else LOOKS + 1
    share = batch / FULL.batch if data.train else 1.0
    work = sum(len(rates) * len(seeds) * (steps * step * share + looked * image) for step, image in costs)
    epochs = steps * batch / data.train if data.train else 0.0
    return TrainingPlan(wish.optimizer, rates, tuple(seeds), steps, batch, epochs, work, watched, held, tested)


def _rounded(seconds: float) -> float:
    """Up to a number that is easy to type."""
    for unit in (10, 60, 600):
        if seconds <= 10 * unit:
            break
    return float(-(-seconds // unit) * unit)
