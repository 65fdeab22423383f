"""In what form data meet a parameter."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.infer.evidence import evidence


class Scaled(nn.Module):
    def __init__(self, use, values):
        super().__init__()
        self.use, self.w = use, nn.Parameter(values)
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        return self.use(self.fc(x), self.w)


def layer(use, values):
    return evidence(Scaled(use, values), torch.randn(16, 8)).layer("w")


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda z, w: z * w, (1, 0)),
        (lambda z, w: z * (1 + w), (1, 1)),
        (lambda z, w: z * (w.double().float() + 1.0), (1, 1)),
        (lambda z, w: z * (2 * w - 0.5), (2, -0.5)),
        (lambda z, w: z * (1 - w), (-1, 1)),
        (lambda z, w: F.layer_norm(z, (8,), w + 1), (1, 1)),
        (lambda z, w: F.layer_norm(z, (8,), w), (1, 0)),
        (lambda z, w: z + w[None, :] / 4, (0.25, 0)),
    ],
)
def test_affine(use, expected):
    assert layer(use, torch.rand(8)).affine.get() == expected


def test_affine_is_unknown_for_other_functions():
    assert not layer(lambda z, w: z * w.exp(), torch.rand(8)).affine.known()
    assert not layer(lambda z, w: z * (w * w), torch.rand(8)).affine.known()


@pytest.mark.parametrize(
    ("use", "given", "expected"),
    [
        (lambda z, w: z * w, -0.5, -0.5),
        (lambda z, w: z * w.exp(), 2.0, math.exp(2)),
        (lambda z, w: z / w, 4.0, 0.25),
        (lambda z, w: z / w, 0.0, math.inf),
        (lambda z, w: z / w.clamp(min=0.01), 0.0, 100.0),
        (lambda z, w: z * w.clamp(max=3.0).exp(), 5.0, math.exp(3)),
        (lambda z, w: z * w.sigmoid(), 0.0, 0.5),
        (lambda z, w: z * F.softplus(w), 0.0, math.log(2)),
        (lambda z, w: z * w.reciprocal(), 0.25, 4.0),
    ],
)
def test_value_of_a_scalar(use, given, expected):
    assert layer(use, torch.tensor([given])).value.get() == pytest.approx(expected)


def test_value_is_unknown_for_many_values():
    assert not layer(lambda z, w: z * w, torch.rand(8)).value.known()
    assert layer(lambda z, w: z * w, torch.full((8,), 3.0)).value.get() == 3.0


def test_second_moments_on_both_sides_of_a_sum_and_a_product():
    table = torch.full((8,), 3.0)
    added = layer(lambda z, w: F.normalize(z) + 2 * w, table)
    assert added.applied_second_moment.get() == pytest.approx(36.0)
    assert added.input_second_moment.get() == pytest.approx(1 / 8)
    scaled = layer(lambda z, w: F.normalize(z) * w, table)
    assert scaled.applied_second_moment.get() == pytest.approx(9.0)
    assert scaled.second_moment.get() == pytest.approx(9 / 8)
