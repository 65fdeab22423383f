"""Sample inputs that are the same everywhere."""

import torch
from torch import nn

from initcheck.construct.inputs import Guess, describe, lively


def guess(*args, **kwargs):
    return Guess(args, kwargs, describe(args, kwargs, "given"), given=True)


def test_noise_comes_before_zeros_and_both_have_one_shape():
    zeros = torch.zeros(4, 3)
    noise, same = lively(iter([guess(zeros, torch.tensor([1, 2]))]), 0)
    assert noise.args[0].shape == (4, 3)
    assert noise.args[0].std() > 0.3
    assert torch.equal(noise.args[1], torch.tensor([1, 2]))
    assert "0 everywhere" in noise.remark
    assert "noise" in noise.summary.origin
    assert same.args[0] is zeros
    assert same.remark == ""


def test_positive_constants_stay_positive():
    noise, _ = lively(iter([guess(image={"pixels": [torch.full((8, 8), 0.5)]})]), 0)
    (pixels,) = noise.kwargs["image"]["pixels"]
    assert pixels.min() >= 0
    assert 0.3 < pixels.mean() < 0.7


def test_what_varies_is_left_alone():
    varied = [
        guess(torch.arange(4.0)),
        guess(torch.randn(4), torch.ones(4)),
        guess(torch.zeros(4, dtype=torch.int64)),
        guess(torch.zeros(1)),
    ]
    assert list(lively(iter(varied), 0)) == varied


def test_the_measured_run_takes_the_noise():
    from initcheck import check

    report = check(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4)), torch.zeros(16, 64))
    (model,) = report.models
    assert model.findings == ()
    assert any("0 everywhere" in skip.reason for skip in model.skips)
