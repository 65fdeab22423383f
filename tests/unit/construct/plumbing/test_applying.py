"""Calls of `Module.apply` are noticed, and nothing of the watch is left afterwards."""

import functools
import threading

import pytest
import torch
from torch import nn

from initcheck.construct.plumbing.applying import ApplyWatch, spoken
from initcheck.construct.recording.recorder import Recorder


def init(module):
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)


def delegating(module):
    init(module)


class Initializer:
    def __call__(self, module):
        if isinstance(module, nn.Bilinear):
            module.weight.data.normal_()


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.apply(self._init)

    def _init(self, module):
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight)


def applied(build):
    with Recorder() as recorder:
        model = build()
    return recorder.resolve(model).applied


def test_a_function_that_matches_nothing():
    (found,) = applied(lambda: nn.Sequential(nn.Linear(2, 2)).apply(init))
    assert (found.function, found.module, found.initializers, found.tests, found.present) == (
        "init",
        "",
        ("kaiming_normal_",),
        ("Conv2d",),
        ("Linear",),
    )
    assert found.location.path == __file__


@pytest.mark.parametrize("function", [delegating, functools.partial(init), Initializer()])
def test_functions_of_every_kind(function):
    (found,) = applied(lambda: nn.Sequential(nn.Linear(2, 2)).apply(function))
    assert found.initializers


def test_a_bound_method_on_a_part():
    (found,) = applied(lambda: nn.Sequential(nn.Linear(2, 2), Own()))
    assert (found.function, found.module, found.tests) == ("Own._init", "1", ("Embedding",))


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Sequential(nn.Conv2d(1, 1, 1)).apply(init),
        lambda: nn.Sequential(nn.ReLU()).apply(init),
        lambda: nn.Sequential(nn.Linear(2, 2)).apply(lambda module: module.requires_grad_(True)),
        lambda: nn.Sequential(nn.Linear(2, 2)).apply(print_nothing),
    ],
    ids=["matched", "no-weights", "no-initializer", "names-none"],
)
def test_what_is_not_told(build):
    assert applied(build) == ()


def print_nothing(module):
    return len(list(module.children()))


def test_a_part_that_left_the_model_is_not_told():
    def build():
        nn.Sequential(nn.Linear(2, 2)).apply(init)
        return nn.Linear(2, 2)

    assert applied(build) == ()


def test_the_users_line_and_origin_are_seen_through_the_watch():
    with Recorder() as recorder:
        model = nn.Sequential(nn.Conv2d(1, 1, 1)).apply(init)
    write = recorder.resolve(model).parameter("0.weight").ruling()
    assert write.origin == "user"
    assert write.location.get().function == "init"


def test_apply_is_restored():
    original = nn.Module.apply
    with Recorder():
        assert nn.Module.apply is not original
        assert nn.Module.apply.__doc__ == original.__doc__
    assert nn.Module.apply is original


def test_apply_is_restored_after_an_error_in_the_function():
    original = nn.Module.apply

    def fails(module):
        nn.init.zeros_(module.weight)
        raise ValueError("mine")

    recorder = Recorder()
    with pytest.raises(ValueError, match="mine"), recorder:
        nn.Linear(2, 2).apply(fails)
    assert nn.Module.apply is original
    with recorder:
        model = nn.Sequential(nn.Linear(2, 2)).apply(init)
    assert len(recorder.resolve(model).applied) == 1


def test_an_apply_that_the_user_put_in_place_stays():
    original = nn.Module.apply

    def mine(self, fn):
        return self

    try:
        with Recorder():
            nn.Module.apply = mine
        assert nn.Module.apply is mine
    finally:
        nn.Module.apply = original


def test_another_thread_is_left_alone():
    watch = ApplyWatch(lambda: 0)
    watch.start()
    try:
        thread = threading.Thread(target=lambda: nn.Linear(2, 2).apply(init))
        thread.start()
        thread.join()
    finally:
        watch.stop()
    assert watch.finished == []


def test_nested_functions_have_a_sweep_of_their_own():
    seen = []
    watch = ApplyWatch(lambda: 0)

    def inner(module):
        seen.append(watch.sweep)

    def outer(module):
        module.apply(inner)

    watch.start()
    try:
        nn.Linear(2, 2).apply(outer)
        assert watch.sweep == 0
    finally:
        watch.stop()
    assert seen == [1]
    assert len(watch.finished) == 2


def test_what_a_function_speaks_of():
    assert spoken(init) == (("kaiming_normal_",), ("Conv2d",))
    assert spoken(print) == ((), ())


def test_torch_itself_is_unchanged_by_a_recording():
    before = dict(vars(nn.Module)), dict(vars(torch.nn.init))
    with Recorder() as recorder:
        model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Linear(2, 2)).apply(init)
    recorder.resolve(model)
    assert (dict(vars(nn.Module)), dict(vars(torch.nn.init))) == before
