"""The result of comparing how two variants of a model train: data, plan, every run, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

SCHEMA = 1
"""Number of the JSON schema; raised when a field changes its meaning or goes away."""

Verdict = Literal["IMPROVED", "NO DIFFERENCE", "WORSE", "INCONCLUSIVE"]
Task = Literal["digits", "random targets"]
State = Literal["finished", "diverged"]
Optimizer = Literal["adamw", "sgd"]

BEFORE, AFTER = "before", "after"

DERIVED = ("fixed", "recommended")
"""Variants that are made of the other one: by `initcheck.fix`, and by `initcheck.initialize`."""

PRETRAINED = "pretrained:"
"""Before the source of weights that `initcheck.load` puts into the other one."""

GIVEN, REWRITTEN = "given", "rewritten"
"""The other one is a target of its own; it is the same target in source that `initcheck fix` has rewritten, or is about to."""


def is_derived(against: str) -> bool:
    """Whether that variant is the other one's model with other weights."""
    return against in DERIVED or against.startswith(PRETRAINED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked of a verification.

    `data` is auto, mnist, fashion, kmnist or a folder; `rates` empty, `seeds` 0 and `epochs` 0 leave the choice to the budget
    (seconds). `against` says what the other variant is, `min_gain` (points) how much must be gained for success.
    """

    against: str = "fixed"
    data: str = "auto"
    data_dir: str = ""
    seeds: int = 0
    rates: tuple[float, ...] = ()
    budget: float = 60.0
    optimizer: Optimizer = "adamw"
    epochs: float = 0.0
    min_gain: float = 0.0


@dataclass(frozen=True, slots=True)
class DataSummary:
    """The images: `train` of them are trained on, `held_back` choose the learning rate, `test` give the figures."""

    name: str
    origin: str
    train: int
    held_back: int
    test: int
    chance: float = 0.1


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is run, fixed before the first step and without a clock, so that it is the same each time.

    `steps` batches of `batch` samples per run; `epochs` is the same as a share of the training set; `seeds` are numbers, each
    trained at every rate. Of the images
    held back `watched` are looked at on the way and `held` at the end, of the test `tested`. `work` is the estimate of all runs in
    seconds of a nominal processor.
    """

    optimizer: Optimizer
    rates: tuple[float, ...]
    seeds: tuple[int, ...]
    steps: int
    batch: int
    epochs: float
    work: float
    watched: int = 0
    held: int = 0
    tested: int = 0

    @property
    def runs(self) -> int:
        """Trainings of both variants."""
        return 2 * len(self.rates) * len(self.seeds)


@dataclass(frozen=True, slots=True)
class VariantSummary:
    """One side of the comparison: what it is, how digits get in and out of it, and what the reader should know."""

    name: str
    what: str
    model: str
    parameters: int
    adapter: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training. `losses` are means over equal parts of the run, `first` the loss of the first batch, `area` the mean over all steps.

    `held` are the scores on the held-back images after each part; `score` is that of the test at the end. Scores are shares from 0 to 1:
    of images that are right, or of the variance of random targets that is met. A diverged run scores as guessing does.
    """

    variant: str
    rate: float
    seed: int
    state: State
    steps: int
    first: float
    losses: tuple[float, ...]
    held: tuple[float, ...]
    score: float
    area: float


@dataclass(frozen=True, slots=True)
class RateResult:
    """A variant at one learning rate, over the seeds: `held` chooses, `score` is told."""

    rate: float
    held: float
    score: float
    deviation: float
    diverged: int


@dataclass(frozen=True, slots=True)
class VariantResult:
    """A variant at its best learning rate.

    `score` and `deviation` are over the seeds, each at the rate that its own held-back images choose. `best` is the rate that the mean over
    the seeds chooses; losses, `area` and `reached` are those at it.
    `reached` is the number of epochs after which nine tenths of the held-back images were right (median over the seeds, None: never);
    `usable` the rates at which it comes within `Comparison.margin` of its best.
    """

    name: str
    best: float
    score: float
    deviation: float
    first: float
    last: float
    area: float
    reached: float | None
    rates: tuple[RateResult, ...]
    usable: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict with its figures, in points (hundredths of the score).

    `low` and `high` bound the difference with 95 % confidence; `by_seed` are the differences of the single seeds, `seed_error` and
    `image_error` the standard errors that the interval is made of. `counted` seeds of those planned were complete.
    """

    verdict: Verdict
    reason: str
    difference: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    seed_error: float
    image_error: float
    counted: int
    margin: float
    smallest: float


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """The result of `initcheck.verify`: both variants, all runs that counted, and the verdict.

    A verification has no truth value; ask `verification.verdict` or `verification.ok`.
    """

    target: str
    wish: Wish
    task: Task
    data: DataSummary
    plan: TrainingPlan | None
    variants: tuple[VariantSummary, ...]
    results: tuple[VariantResult, ...]
    comparison: Comparison
    runs: tuple[TrainingRun, ...]
    notes: tuple[str, ...] = ()
    complete: bool = True
    version: str = ""
    torch: str = ""
    schema: int = SCHEMA

    @property
    def verdict(self) -> Verdict:
        """IMPROVED, NO DIFFERENCE, WORSE or INCONCLUSIVE."""
        return self.comparison.verdict

    @property
    def gain(self) -> float:
        """The gain that was shown, in points: 0 where no difference was."""
        return self.comparison.difference if self.verdict in ("IMPROVED", "WORSE") else 0.0

    @property
    def unfinished(self) -> bool:
        """Whether the budget ended before there was anything to compare."""
        return not self.complete and math.isnan(self.comparison.difference)

    @property
    def ok(self) -> bool:
        """Whether there was something to compare and the gain that was shown reaches `min_gain`."""
        return not self.unfinished and self.gain >= self.wish.min_gain

    def __bool__(self) -> bool:
        raise TypeError("a Verification has no truth value; use `verification.ok` or `verification.verdict`")

    def __str__(self) -> str:
        from initcheck.report.verification.terminal import render

        return render(self, color=False, ascii_only=False, width=100)

    def __repr__(self) -> str:
        if self.verdict == "INCONCLUSIVE" and not self.results:
            return f"<Verification: {self.verdict}, {self.comparison.reason}>"
        return f"<Verification: {self.verdict}, {self.comparison.difference:+.1f} points [{self.comparison.low:+.1f}, {self.comparison.high:+.1f}]>"
