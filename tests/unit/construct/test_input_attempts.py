from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from initcheck.construct.inputs import Guess, candidates, describe, first_that_runs
from initcheck.construct.inputs import search as search_module
from initcheck.construct.inputs.search import Search
from initcheck.errors import TargetError, UsageError


class ConvNet(nn.Module):
    """Pools by function, so that only running it tells the size of the images."""

    def __init__(self, channels, features):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc = nn.Linear(features, 10)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.fc(self.flat(x))

    def flat(self, x):
        return torch.flatten(x, 1)


class Reshaping(ConvNet):
    def flat(self, x):
        return x.view(-1, self.fc.in_features)


def search(model, batch=8):
    runs = []

    def attempt(args, kwargs):
        runs.append(args)
        output = model(*args, **kwargs)
        return SimpleNamespace(outputs=[(0, output)])

    result, guess = first_that_runs(model, candidates(model, batch, 0), attempt)
    return result, guess, len(runs)


@pytest.mark.parametrize("kind", [ConvNet, Reshaping])
@pytest.mark.parametrize(("channels", "edge"), [(3, 32), (1, 28), (3, 56), (3, 50), (2, 100)])
def test_the_image_size_is_found_from_failures(kind, channels, edge):
    side = ((edge - 4) // 2 - 4) // 2
    result, guess, runs = search(kind(channels, 16 * side * side))
    assert result.outputs[0][1].shape == (8, 10)
    assert ((guess.args[0].shape[-1] - 4) // 2 - 4) // 2 == side
    assert runs <= 9


def test_mixed_samples_are_refused_while_there_is_hope():
    model = Reshaping(3, 400)
    wrong = Guess((torch.randn(8, 3, 92, 92),), {}, describe((torch.randn(8, 3, 92, 92),), {}, "first"), inferred=True)
    right = Guess((torch.randn(8, 3, 32, 32),), {}, describe((torch.randn(8, 3, 32, 32),), {}, "second"), inferred=True)

    def attempt(args, kwargs):
        return SimpleNamespace(outputs=[(0, model(*args))])

    assert attempt(wrong.args, {}).outputs[0][1].shape[0] != 8
    assert first_that_runs(model, iter([wrong, right]), attempt)[1] is right
    taken = first_that_runs(model, iter([wrong]), attempt)[1]
    assert taken.args is wrong.args
    assert "number of samples" in taken.remark


def error(model, guesses=None, batch=4):
    with pytest.raises(TargetError) as caught:
        first_that_runs(model, guesses or candidates(model, batch, 0), lambda args, kwargs: model(*args, **kwargs))
    return caught.value


def test_an_input_that_somebody_gave_is_not_replaced():
    attempts = []

    def attempt(args, kwargs):
        attempts.append(args)
        return nn.Linear(784, 10)(*args)

    with pytest.raises(TargetError):
        first_that_runs(nn.Linear(784, 10), given(torch.ones(2, 1, 28, 28)), attempt)
    assert len(attempts) == 1


def given(*args):
    return iter([Guess(args, {}, describe(args, {}, "given"), given=True)])


def test_a_wrong_width_is_said_in_words_and_can_be_pasted():
    model = nn.Sequential()
    model.add_module("fc1", nn.Linear(784, 10))
    found = error(model, given(torch.ones(2, 1, 28, 28)))
    assert found.name == "forward-failed"
    assert "fc1 (Linear) wants last dimension 784, got 28" in found.message
    assert "RuntimeError: " in found.message
    assert "mat1 and mat2 shapes cannot be multiplied" in found.message
    assert found.hint == "Try --input 784"


def test_layers_that_do_not_fit_each_other_are_not_laid_on_the_input():
    found = error(nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(65, 10)))
    assert "2 (Linear) wants last dimension 65, got 64" in found.message
    assert found.hint.startswith("it gets that from every input: make the sizes of the layers fit each other")
    assert "65" not in found.hint


def test_the_line_of_the_user_is_named():
    found = error(ConvNet(3, 400), given(torch.ones(2, 1, 32, 32)))
    assert "conv1 (Conv2d) wants 3 channels, got 1" in found.message
    assert f"test_input_attempts.py:{ConvNet.forward.__code__.co_firstlineno + 1}" in found.message


def test_integers_for_a_table():
    found = error(nn.Sequential(nn.Embedding(30, 4)), given(torch.ones(2, 3)))
    assert "0 (Embedding) wants integers below 30" in found.message
    assert found.hint == "Try --input 'int64[8,16]<30'"


def test_code_that_no_input_mends_is_told_apart():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fcc(self.fc(x)) if x.dim() else None

    found = error(Broken())
    assert found.name == "forward-failed"
    assert "AttributeError" in found.message
    assert "fcc" in found.message


def test_an_input_that_cannot_be_guessed():
    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            raise ValueError("seventeen samples, please")

    found = error(Picky())
    assert found.name == "input-unknown"
    assert "none of" in found.message
    assert "ValueError: seventeen samples, please" in found.message
    assert "--input" in found.hint
    assert error(nn.Sequential(), iter(())).name == "input-unknown"


def test_a_cause_inside_a_wrapper_is_found():
    class ForwardError(Exception):
        def __init__(self, cause):
            super().__init__("wrapped")
            self.module, self.kind, self.cause = "0", "Linear", cause

    def attempt(args, kwargs):
        raise ForwardError(RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4)"))

    with pytest.raises(TargetError, match=r"0 \(Linear\) wants last dimension 3, got 5"):
        first_that_runs(nn.Sequential(nn.Linear(3, 4)), given(torch.ones(2, 5)), attempt)


def test_our_own_errors_pass_through():
    def attempt(args, kwargs):
        raise UsageError("stop")

    with pytest.raises(UsageError):
        first_that_runs(nn.Linear(2, 2), given(torch.ones(2, 2)), attempt)


def test_the_context_of_a_guess_is_open_during_the_attempt():
    open_now = []

    @contextmanager
    def prepare():
        open_now.append(True)
        yield
        open_now.pop()

    guess = Guess((), {}, describe((), {}, "given"), prepare)
    assert first_that_runs(nn.Linear(1, 1), iter([guess]), lambda args, kwargs: list(open_now))[0] == [True]
    assert open_now == []


def test_detectors_get_small_images_and_boxes():
    transform = SimpleNamespace(min_size=(800,), max_size=1333)

    class RetinaNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.transform = transform

        def forward(self, images, targets=None):
            assert transform.min_size == (128,)
            assert len(images) == len(targets) == 2
            assert set(targets[0]) == {"boxes", "labels"}
            return {"loss": self.conv(images[0][None]).sum()}

    _, guess, runs = search(RetinaNet())
    assert (runs, guess.summary.batch) == (1, 2)
    assert (transform.min_size, transform.max_size) == ((800,), 1333)


def test_what_failed_is_kept_without_its_tensors():
    class Never(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(9, 3)

        def forward(self, x):
            raise ValueError(f"not {tuple(x.shape)}")

    model = Never()
    search = Search(model, candidates(model, 4, 0))
    while (found := search.take()) is not None:
        guess, _ = found
        search.learn(guess, ValueError("never"))
    assert len(search.failures) > 10
    assert all(guess.args == () and guess.forms for _, guess in search.failures)


def test_the_search_is_bounded_by_processor_time(monkeypatch):
    clock = iter(range(0, 10_000, 6))
    monkeypatch.setattr(search_module.time, "process_time", lambda: float(next(clock)))
    runs = []

    class Never(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(9, 3)

        def forward(self, x):
            runs.append(x.shape)
            return self.fc(x)[..., 0].view(7, 11, 13)

    error(Never())
    assert len(runs) < 40
