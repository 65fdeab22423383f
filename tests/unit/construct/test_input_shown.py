"""Sample inputs that the user's source shows."""

import pytest
import torch
from torch import nn

from initcheck.construct.inputs.guesses import candidates
from initcheck.construct.inputs.shown import shown_plans


def shapes(*texts, batch=32):
    return [[form.shape for form in plan.args] for plan in shown_plans(texts, batch)]


def test_an_example_gets_the_wanted_number_of_samples_first():
    assert shapes("float32[1,3,20,20]  # line 7") == [[(32, 3, 20, 20)], [(1, 3, 20, 20)]]
    assert shapes("float32[64,3,20,20]") == [[(64, 3, 20, 20)]]
    assert shapes("int64[2,7]<100; float32[2,5]; float32[9,1]", batch=4) == [[(4, 7), (4, 5), (9, 1)], [(2, 7), (2, 5), (9, 1)]]


def test_the_place_is_told():
    (guess, *_) = candidates(nn.Conv2d(3, 4, 3), 4, 0, examples=("float32[1,3,20,20]  # line 7",))
    assert guess.summary.origin == "shown at line 7"
    assert guess.args[0].shape == (4, 3, 20, 20)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_is_that_of_the_model(dtype):
    (guess, *_) = candidates(nn.Linear(5, 4, dtype=dtype), 4, 0, examples=("float32[1,5]",))
    assert guess.args[0].dtype is dtype
