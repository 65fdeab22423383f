import pytest
import torch
from torch import nn

from initcheck.construct.inputs import candidates, first_that_runs
from initcheck.construct.inputs.working import suggestion


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x).mean((2, 3))


def search(model, examples):
    guesses = candidates(model, 8, 0, examples=examples)
    return first_that_runs(model, guesses, lambda args, kwargs: model(*args, **kwargs))[1].summary


def test_what_the_file_shows_is_taken_before_what_is_inferred():
    assert search(Plain(), ("float32[1,3,40,56]  # line 9",)).text == "float32[8,3,40,56]"
    found = search(Plain(), ("float32[1,5,40,56]  # line 9",))
    assert found.origin.startswith("inferred")


def test_what_the_model_declares_comes_before_what_the_file_shows():
    model = Plain()
    model.example_input_array = torch.zeros(2, 3, 20, 20)
    assert search(model, ("float32[1,3,40,56]",)).origin == "example_input_array"


def test_calls_of_other_models_and_nonsense_are_left_out():
    assert search(Plain(), ("float32[1,3,40,56]; float32[1,9]", "data.batch", "")).origin.startswith("inferred")


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 4)
        self.mix = nn.Linear(6, 4)

    def forward(self, ids, features):
        return self.table(ids).mean(1) + self.mix(features)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nn.Sequential(nn.Conv2d(1, 4, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 12 * 12, 10)), "--input 1,28,28"),
        (nn.Sequential(nn.Linear(784, 10)), "--input 784"),
        (Two(), "--input 'int64[8,16]<11' --input 6"),
    ],
    ids=["images", "rows", "two"],
)
def test_what_is_suggested_works(model, expected):
    found = suggestion(model)
    assert found.replace("float32[8,6]", "6") == expected
