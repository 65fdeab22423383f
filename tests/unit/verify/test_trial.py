"""Whole trials on few images: what is the same stays the same, what differs is found, and what cannot be done is told."""

import math
import random

import numpy as np
import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import TargetError, UsageError
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.verification import Verification
from initcheck.report.verification import json
from initcheck.verify.data import sets
from initcheck.verify.data.idx import packed
from initcheck.verify.training import Samples, falling, order
from initcheck.verify.work import work_of

FAST = {"seeds": 3, "lrs": (0.01,), "epochs": 6}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Two bright blocks at a place that tells the class: learnt within a few steps."""
    folder = tmp_path_factory.mktemp("digits")
    generator = np.random.default_rng(0)

    def drawn(count):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = generator.integers(0, 60, (count, 10, 10), dtype=np.uint8)
        images[np.arange(count), labels] += 150
        return images, labels

    (train, train_labels), (test, test_labels) = drawn(500), drawn(200)
    for name, array in zip(sets.FILES, (train, train_labels, test, test_labels), strict=True):
        (folder / name).write_bytes(packed(array))
    return str(folder)


def net():
    return nn.Sequential(nn.Linear(100, 16), nn.ReLU(), nn.Linear(16, 10))


def zero():
    model = net()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


def broken():
    model = net()
    nn.init.constant_(model[0].weight, math.nan)
    return model


def test_zero_weights_learn_nothing_and_their_remedy_is_an_improvement(digits):
    found = initcheck.verify(zero, "fixed", data=digits, **FAST)
    assert found.verdict == "IMPROVED"
    assert found.results[0].score == pytest.approx(0.1)
    assert found.gain > 50 and found.ok
    assert "remed" in found.variants[1].notes[-1]


def test_the_other_way_round_is_worse(digits):
    found = initcheck.verify(net, zero, data=digits, **FAST)
    assert found.verdict == "WORSE" and not found.ok
    assert found.gain < -50


def test_stored_weights_against_none(digits, tmp_path):
    torch.manual_seed(0)
    torch.save(net().state_dict(), tmp_path / "w.pt")
    found = initcheck.verify(zero, f"pretrained:{tmp_path / 'w.pt'}", data=digits, **FAST)
    assert found.verdict == "IMPROVED"
    assert "4 tensors loaded" in found.variants[1].notes[-1] and "0.0 % of the parameters stay random" in found.variants[1].notes[-1]


def test_equal_functions_give_equal_runs(digits):
    found = initcheck.verify(net, net, data=digits, **FAST)
    assert found.verdict == "NO DIFFERENCE" and found.comparison.difference == 0
    before, after = ([run for run in found.runs if run.variant == name] for name in ("before", "after"))
    assert [run.losses for run in before] == [run.losses for run in after]


def test_two_calls_give_the_same_bytes(digits):
    one, other = (json.render(initcheck.verify(net, "recommended", data=digits, **FAST)) for _ in range(2))
    assert one == other
    assert from_plain(Verification, to_plain(json.load(one))) == json.load(one)


def test_the_plan_without_a_wish_is_the_same_each_time(digits):
    one, other = (initcheck.verify(net, zero, data=digits, budget=2.0, seeds=2).plan for _ in range(2))
    assert one == other and len(one.rates) == 4


def test_live_modules_and_random_states_are_left_alone(digits):
    torch.manual_seed(5)
    model = net()
    model[0].weight.grad = torch.ones_like(model[0].weight)
    model.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    initcheck.verify(model, "recommended", data=digits, **FAST)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert not model.training
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()


def test_nothing_to_fix_trains_nothing(digits):
    model = nn.Sequential(nn.Linear(100, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10))
    found = initcheck.verify(model, "fixed", data=digits, **FAST)
    assert found.verdict == "NO DIFFERENCE" and not found.runs
    assert "the same weights" in str(found)


def test_nan_on_one_side_counts_as_guessing(digits):
    found = initcheck.verify(broken, net, data=digits, **FAST)
    assert found.verdict == "IMPROVED"
    assert {run.state for run in found.runs if run.variant == "before"} == {"diverged"}
    assert "NaN or infinity before the first step" in str(found)


def test_nan_on_both_sides_is_told(digits):
    with pytest.raises(TargetError) as raised:
        initcheck.verify(broken, broken, data=digits, **FAST)
    assert raised.value.name == "not-finite"


def test_when_all_runs_diverge_nothing_is_said_of_the_difference(digits):
    found = initcheck.verify(net, zero, data=digits, seeds=2, lrs=(1e8 / 1e6,), epochs=2, optimizer="sgd")
    if all(run.state == "diverged" for run in found.runs):
        assert found.verdict == "INCONCLUSIVE"
    exploding = lambda: nn.Sequential(nn.Linear(100, 16), Overflow(), nn.Linear(16, 10))  # noqa: E731
    found = initcheck.verify(exploding, exploding, data=digits, seeds=2, lrs=(0.01,), epochs=1)
    assert found.verdict == "INCONCLUSIVE" and "diverged" in found.comparison.reason


class Overflow(nn.Module):
    def forward(self, x):
        return x * 1e38 * 1e38


def test_a_budget_that_ends_early_is_told_and_decides_nothing(digits):
    found = initcheck.verify(net, zero, data=digits, budget=1e-6, seeds=2, lrs=(0.01,), epochs=1)
    assert found.unfinished and not found.ok and found.verdict == "INCONCLUSIVE"
    assert "budget ended after 0 of 2 seeds" in str(found)


def test_a_model_beyond_the_budget_is_refused(digits):
    with pytest.raises(TargetError) as raised:
        initcheck.verify(net, zero, data=digits, budget=0.001)
    assert raised.value.name == "over-budget"


def test_frozen_models_are_refused(digits):
    model = net().requires_grad_(False)
    with pytest.raises(TargetError) as raised:
        initcheck.verify(model, net, data=digits, **FAST)
    assert raised.value.name == "nothing-to-train"


def test_unlike_models_are_refused(digits):
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(x).sum()

    with pytest.raises(TargetError) as raised:
        initcheck.verify(net, Sum, data=digits, **FAST)
    assert raised.value.name == "unlike"
    fitted = initcheck.verify(Sum, Sum, data=digits, seeds=2, lrs=(0.01,), epochs=20)
    assert fitted.task == "random targets" and "not how it generalises" in str(fitted)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((3, net), "cannot train a int"),
        ((net, lambda: 3), "returned a int"),
        ((net, zero, {"optimizer": "adam"}), "no optimizer 'adam'"),
        ((net, zero, {"seedz": 3}), "unknown setting"),
        ((net, zero, {"lrs": (-1.0,)}), "learning rate"),
    ],
)
def test_wrong_arguments_are_told(digits, arguments, said):
    *sides, more = arguments if len(arguments) == 3 else (*arguments, {})
    with pytest.raises(UsageError, match=said):
        initcheck.verify(*sides, data=digits, **more)


def test_a_verification_has_no_truth_value(digits):
    found = initcheck.verify(net, net, data=digits, **FAST)
    with pytest.raises(TypeError, match=r"verification\.ok"):
        bool(found)
    assert "NO DIFFERENCE" in repr(found)


def test_half_precision_and_sparse_gradients_are_told(digits):
    class Sparse(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.EmbeddingBag(40, 8, sparse=True)
            self.head = nn.Linear(8, 10)

        def forward(self, tokens):
            return self.head(self.table(tokens))

    found = initcheck.verify(Sparse, Sparse, data=digits, **FAST)
    assert "made dense" in " ".join(found.variants[0].notes)
    found = initcheck.verify(lambda: net().to(torch.bfloat16), net, data=digits, **FAST)
    assert "float32" in " ".join(found.variants[0].notes)
    assert found.variants[0].what == "<lambda>()"


def test_batches_are_the_same_for_a_seed_and_whole():
    one, other = order(3, 10, 4), order(3, 10, 4)
    first = [next(one).tolist() for _ in range(4)]
    assert first == [next(other).tolist() for _ in range(4)]
    assert len({*first[0], *first[1]}) == 8
    assert [next(order(4, 10, 4)).tolist()] != [first[0]]


def test_the_rate_falls_in_the_second_half():
    assert [falling(step, 8) for step in range(8)] == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_work_grows_with_the_model_and_takes_no_clock(digits):
    from initcheck.records.verification import Wish
    from initcheck.verify.adapters.adapted import Adapted
    from initcheck.verify.adapters.choosing import adapter
    from initcheck.verify.adapters.own_input import Given
    from initcheck.verify.training import pixels

    samples = Samples.of(sets.load(Wish(data=digits)))

    def counted(width):
        model = nn.Sequential(nn.Linear(100, width), nn.ReLU(), nn.Linear(width, 10))
        module = adapter(model, Given(), pixels(samples.train[:8]), 10).module(model, 0)
        assert isinstance(module, Adapted)
        return work_of(module, samples, 64)

    small, again, large = counted(16), counted(16), counted(512)
    assert small == again
    assert large.step > small.step and large.image > small.image


def test_the_numbers_do_not_depend_on_the_threads_and_these_are_as_before(digits):
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(initcheck.verify(zero, net, data=digits, **FAST).runs)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]
