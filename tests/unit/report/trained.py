"""A verification made of plain records."""

import math

from initcheck.records.verification import (
    AFTER,
    BEFORE,
    Comparison,
    DataSummary,
    RateResult,
    TrainingPlan,
    TrainingRun,
    VariantResult,
    VariantSummary,
    Verification,
    Wish,
)

RATES = (0.001, 0.01)


def runs(name, score, rate, seed, *, diverged=False):
    losses = () if diverged else tuple(2.0 / (step + 1) for step in range(24))
    state = "diverged" if diverged else "finished"
    return TrainingRun(name, rate, seed, state, 100, 2.3, losses, (score,), score, math.inf if diverged else 1.0)


def sample(verdict="IMPROVED", difference=84.0, **more):
    variants = tuple(
        VariantSummary(name, f"net<{name}>.py::model", "Net", 50_890, ("each digit as 784 pixels", "own head"), ("a note",))
        for name in (BEFORE, AFTER)
    )
    results = (
        VariantResult(
            BEFORE,
            0.001,
            0.1,
            0.0,
            2.3,
            2.3,
            2.3,
            None,
            (RateResult(0.001, 0.1, 0.1, 0.0, 0), RateResult(0.01, 0.0, 0.1, 0.0, 3)),
            (0.001,),
        ),
        VariantResult(
            AFTER,
            0.001,
            0.94,
            0.01,
            2.3,
            0.08,
            0.3,
            1.5,
            (RateResult(0.001, 0.94, 0.94, 0.01, 0), RateResult(0.01, 0.9, 0.9, 0.02, 0)),
            RATES,
        ),
    )
    every = tuple(
        runs(name, 0.1 if name == BEFORE else 0.94, rate, seed, diverged=name == BEFORE and rate == 0.01)
        for seed in range(3)
        for rate in RATES
        for name in (BEFORE, AFTER)
    )
    comparison = Comparison(verdict, "because", difference, difference - 1, difference + 1, (difference,) * 3, 0.3, 0.4, 3, 2.0, 1.0)
    values = {
        "target": "net<before>.py::model",
        "wish": Wish(),
        "task": "digits",
        "data": DataSummary("MNIST subset", "bundled with initcheck", 4000, 1000, 1000),
        "plan": TrainingPlan("adamw", RATES, (0, 1, 2), 100, 64, 1.6, 3.0),
        "variants": variants,
        "results": results,
        "comparison": comparison,
        "runs": every,
    }
    return Verification(**(values | more))
