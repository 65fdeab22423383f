"""Maxima that choose among linear pieces, and the frequency of sines."""

import pytest
import torch
from torch import nn

from tests.unit.infer.evidence import evidence
from tests.unit.infer.test_dataflow_branches import net


def nonlinearity(body, shape=(4, 8), weight="l.weight", **parts):
    layer = evidence(net(body, **(parts or {"l": (8, 24), "o": (12, 2)}))(), torch.randn(*shape)).layer(weight)
    return (layer.nonlinearity.get().role, layer.nonlinearity.get().parameter) if layer.nonlinearity.known() else None


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        (lambda m, x: m.o(m.l(x).view(4, 12, 2).max(-1)[0]), 2),
        (lambda m, x: m.o(m.l(x).view(4, 2, 12).amax(1)), 2),
        (lambda m, x: m.o(torch.max(*m.l(x).chunk(2, -1))), 2),
        (lambda m, x: m.o(m.l(x).unflatten(-1, (4, 6)).amax(-1).repeat(1, 3)), 6),
        (lambda m, x: m.o(m.l(x).amax(-1, keepdim=True).expand(4, 12)), 0),
        (lambda m, x: m.o(m.l(x).amax(0, keepdim=True)[:, :12]), 0),
        (lambda m, x: m.o(torch.maximum(m.l(x)[:, :12], m.l(x * 2)[:, :12])), 0),
    ],
)
def test_pieces_of_a_linear_layer(body, pieces):
    found = nonlinearity(body)
    assert (found == ("custom:maxout", (float(pieces),))) if pieces else (found is None or found[0] != "custom:maxout")


def test_pooling_over_tokens_and_positions_chooses_no_piece():
    assert nonlinearity(lambda m, x: m.o(m.l(x).max(1)[0][:, :12]), (4, 8, 8)) is None
    parts = {"c": lambda: nn.Conv2d(3, 8, 3), "o": (4, 2)}
    pieces = lambda m, x: m.o(m.c(x).unflatten(1, (4, 2)).amax(2).mean((2, 3)))
    assert nonlinearity(pieces, (4, 3, 8, 8), "c.weight", **parts) == ("custom:maxout", (2.0,))
    pooled = lambda m, x: m.o(m.c(x).amax((2, 3))[:, :4])
    assert nonlinearity(pooled, (4, 3, 8, 8), "c.weight", **parts) is None


@pytest.mark.parametrize(
    ("body", "frequency"),
    [
        (lambda m, x: m.o(torch.sin(30 * m.l(x))[:, :12]), (30.0,)),
        (lambda m, x: m.o(torch.sin(m.l(x).view(2, 2, 24) * 6 / 2).view(4, 24)[:, :12]), (3.0,)),
        (lambda m, x: m.o(torch.sin(m.l(x))[:, :12]), (1.0,)),
        (lambda m, x: m.o(torch.sin(m.l(x) * m.scale)[:, :12]), ()),
    ],
)
def test_frequency_of_a_sine(body, frequency):
    model = net(body, l=(8, 24), o=(12, 2), scale=lambda: nn.Parameter(torch.ones(24)))()
    found = evidence(model, torch.randn(4, 8)).layer("l.weight").nonlinearity.get()
    assert (found.role, found.parameter) == ("sin", frequency)
