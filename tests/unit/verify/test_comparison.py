"""The verdict as plain arithmetic, and the plan as a function of work and budget alone."""

import math
import random
import statistics

import pytest
from scipy import stats

from initcheck.errors import TargetError
from initcheck.records.verification import AFTER, BEFORE, DataSummary, TrainingPlan, TrainingRun, Wish
from initcheck.verify.comparison import compare, judged, result, student, undecided, unfinished
from initcheck.verify.planning import LIGHT, RATES, SHARE, STEPS, TIGHT, plan, sweep
from initcheck.verify.scores import MARGIN, SMALLEST

PLAN = TrainingPlan("adamw", (0.001, 0.01), (0, 1, 2), 100, 64, 2.0, 1.0)
DATA = DataSummary("digits", "here", 4000, 1000, 1000)


def run(variant, rate, seed, score, held=None, state="finished", **more):
    values = {"first": 2.3, "losses": (2.0, 1.0), "held": (0.5, score if held is None else held), "area": 1.5} | more
    return TrainingRun(variant, rate, seed, state, 100, values["first"], values["losses"], values["held"], score, values["area"])


def hits(score, size=1000, shift=0):
    return bytes(int((index * 7 + shift) % size < round(score * size)) for index in range(size))


def compared(before, after, images=None):
    """Scores by seed at one rate each."""
    runs = [run(name, 0.001, seed, score) for name, scores in ((BEFORE, before), (AFTER, after)) for seed, score in enumerate(scores)]
    chosen = TrainingPlan("adamw", (0.001,), tuple(range(len(before))), 100, 64, 2.0, 1.0)
    seen = images or {(one.variant, one.rate, one.seed): hits(one.score) for one in runs}
    return compare(runs, seen, chosen.seeds)


def test_a_clear_gain_is_one_and_a_clear_loss_too():
    assert compared((0.80, 0.81, 0.79), (0.95, 0.96, 0.95)).verdict == "IMPROVED"
    assert compared((0.95, 0.96, 0.95), (0.80, 0.81, 0.79)).verdict == "WORSE"


def test_the_interval_is_that_of_the_paired_t_test():
    before, after = (0.80, 0.84, 0.70), (0.90, 0.95, 0.85)
    found = compared(before, after)
    bounds = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert found.low == pytest.approx(100 * bounds.low)
    assert found.high == pytest.approx(100 * bounds.high)
    assert found.by_seed == pytest.approx((10, 11, 15))


def test_few_images_widen_the_interval():
    scores = (0.90, 0.90, 0.90), (0.93, 0.93, 0.93)
    one = {
        (name, 0.001, seed): hits(score, 100, shift=41 * (name == AFTER))
        for name, score in ((BEFORE, 0.9), (AFTER, 0.93))
        for seed in range(3)
    }
    found = compared(*scores, images=one)
    assert found.seed_error == pytest.approx(0, abs=1e-9)
    assert found.verdict == "INCONCLUSIVE"
    differences = [b - a for a, b in zip(one[BEFORE, 0.001, 0], one[AFTER, 0.001, 0], strict=True)]
    assert found.image_error == pytest.approx(100 * statistics.stdev(differences) / 10)


def test_equal_scores_are_no_difference():
    found = compared((0.9, 0.91, 0.92), (0.9, 0.91, 0.92))
    assert found.verdict == "NO DIFFERENCE" and found.difference == 0


def test_noise_is_inconclusive():
    assert compared((0.90, 0.80, 0.85), (0.84, 0.91, 0.86)).verdict == "INCONCLUSIVE"


def test_one_seed_decides_nothing():
    found = compared((0.1,), (0.9,))
    assert found.verdict == "INCONCLUSIVE" and math.isinf(found.high)


@pytest.mark.parametrize(
    ("difference", "low", "high", "verdict"),
    [
        (SMALLEST, 0.1, 1.9, "IMPROVED"),
        (SMALLEST - 0.1, 0.1, 1.7, "NO DIFFERENCE"),
        (-SMALLEST, -1.9, -0.1, "WORSE"),
        (0.0, -MARGIN, MARGIN, "NO DIFFERENCE"),
        (0.0, -MARGIN - 0.1, MARGIN, "INCONCLUSIVE"),
        (0.5, 0.2, MARGIN + 0.1, "INCONCLUSIVE"),
    ],
)
def test_the_verdict_follows_the_interval(difference, low, high, verdict):
    assert judged(difference, low, high, 3)[0] == verdict


def test_the_test_images_take_no_part_in_the_choice_of_the_rate():
    runs = [run(AFTER, 0.001, seed, 0.9, held=0.95) for seed in range(3)] + [run(AFTER, 0.01, seed, 0.99, held=0.94) for seed in range(3)]
    found = result(AFTER, runs, PLAN)
    assert found.best == 0.001 and found.score == pytest.approx(0.9)


def test_every_seed_chooses_its_own_rate():
    runs = [run(AFTER, rate, seed, 0.9 if (rate == 0.001) == (seed == 0) else 0.5) for rate in PLAN.rates for seed in range(3)]
    found = result(AFTER, runs, PLAN)
    assert found.best == 0.01 and found.score == pytest.approx(0.9)


def test_the_lower_of_equal_rates_is_taken():
    runs = [run(AFTER, rate, seed, 0.9) for rate in PLAN.rates for seed in range(3)]
    assert result(AFTER, runs, PLAN).best == 0.001


def test_diverged_runs_are_counted_and_never_best():
    broken = [run(AFTER, 0.01, seed, 0.1, state="diverged", area=math.inf, losses=()) for seed in range(3)]
    found = result(AFTER, [run(AFTER, 0.001, seed, 0.3) for seed in range(3)] + broken, PLAN)
    assert found.best == 0.001
    assert [one.diverged for one in found.rates] == [0, 3]
    assert found.usable == (0.001,)


def test_speed_is_told_in_epochs():
    runs = [run(AFTER, 0.001, seed, 0.95, held=0.95) for seed in range(3)]
    one = TrainingPlan("adamw", (0.001,), (0, 1, 2), 100, 64, 2.0, 1.0)
    assert result(AFTER, runs, one).reached == 2.0
    assert result(AFTER, [run(AFTER, 0.001, seed, 0.5) for seed in range(3)], one).reached is None


def test_quantiles():
    assert student(2) == pytest.approx(4.302653)


def test_without_figures_there_is_no_gain():
    for found in (unfinished(1, 3), undecided("all diverged", 3)):
        assert found.verdict == "INCONCLUSIVE" and math.isnan(found.difference)


def test_noise_alone_is_rarely_called_a_difference():
    """2,000 comparisons of equal variants with normal noise over seeds and images drawn anew: at most one in twenty."""
    generator = random.Random(0)
    false = 0
    for _ in range(2000):
        pairs = [(generator.gauss(0.93, 0.008), generator.gauss(0.93, 0.008)) for _ in range(3)]
        seen = {(name, 0.001, seed): bytes(60) for name in (BEFORE, AFTER) for seed in range(3)}
        found = compared(*zip(*pairs, strict=True), images=seen)
        false += found.verdict in ("IMPROVED", "WORSE")
    assert false <= 100


def test_the_plan_is_the_longest_that_fits():
    costs = [(0.001, 1e-5), (0.001, 1e-5)]
    found = plan(Wish(), 7, DATA, costs)
    assert found.steps in STEPS and found.rates == RATES["adamw"] and found.seeds[0] == 7
    assert found.work <= SHARE * 60
    shorter, longer = (plan(Wish(budget=budget), 7, DATA, costs) for budget in (10, 600))
    assert shorter.steps < found.steps <= longer.steps
    assert len(longer.seeds) == 5 and longer.runs == 2 * 4 * 5


def test_a_large_model_gets_fewer_rates_then_less_of_all_and_a_larger_one_is_refused():
    assert plan(Wish(), 0, DATA, [(0.01, 1e-4)] * 2).rates == RATES["adamw"]
    few = plan(Wish(), 0, DATA, [(0.04, 1e-4)] * 2)
    assert few.rates == (0.001, 0.003) and len(few.seeds) == 3 and few.batch == 64
    light = plan(Wish(), 0, DATA, [(0.1, 3e-4)] * 2)
    assert (light.batch, light.held, light.tested) == (LIGHT.batch, LIGHT.held, LIGHT.tested)
    tight = plan(Wish(), 0, DATA, [(0.25, 5e-4)] * 2)
    assert SHARE * 60 < tight.work <= TIGHT * 60 and tight.steps == STEPS[-1]
    with pytest.raises(TargetError, match="too large for a budget of 60 s") as raised:
        plan(Wish(), 0, DATA, [(5.0, 1e-2)] * 2)
    assert raised.value.name == "over-budget" and "--budget" in raised.value.hint


def test_deep_networks_are_trained_at_lower_rates():
    assert sweep("adamw", 2) == sweep("adamw", 12) == RATES["adamw"]
    assert sweep("adamw", 13) == (0.0001, 0.0003, 0.001, 0.003)
    assert sweep("adamw", 100) == (0.00003, 0.0001, 0.0003, 0.001)
    assert sweep("sgd", 100) == RATES["sgd"]
    assert plan(Wish(), 0, DATA, [(0.04, 1e-4)] * 2, 40).rates == (0.0001, 0.0003)
    assert plan(Wish(rates=(0.5,)), 0, DATA, [(0.001, 1e-5)] * 2, 40).rates == (0.5,)


def test_what_was_asked_for_is_kept():
    found = plan(Wish(rates=(0.5,), seeds=2, epochs=1.5), 0, DATA, [(9.0, 1.0)] * 2)
    assert (found.rates, found.seeds, found.steps, found.epochs) == ((0.5,), (0, 1), 94, pytest.approx(1.5, abs=0.01))
    assert plan(Wish(optimizer="sgd"), 0, DATA, [(0.001, 1e-5)] * 2).rates == RATES["sgd"]
