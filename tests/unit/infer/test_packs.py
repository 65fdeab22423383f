"""Packed weights: which parts of an output go separate ways, as the graph shows them."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.infer.evidence import evidence
from tests.unit.infer.test_dataflow_branches import net

X = (4, 5, 8)


def attend(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def rotated(x):
    half = x.shape[-1] // 2
    return x * 0.8 + torch.cat([-x[..., half:], x[..., :half]], -1) * 0.6


def packed(body, weight="l.weight", shape=X, **parts):
    return evidence(net(body, **parts)(), torch.randn(*shape)).layer(weight).packed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda m, x: attend(*m.l(x).chunk(3, -1)), (8, 8, 8)),
        (lambda m, x: attend(*m.l(x).split([8, 8, 8], -1)), (8, 8, 8)),
        (lambda m, x: attend(*m.l(x).reshape(4, 5, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)), (8, 8, 8)),
        (lambda m, x: attend(*m.l(x).view(4, 5, 2, 12).transpose(1, 2).chunk(3, -1)), (8, 8, 8)),
        (lambda m, x: m.l(x)[..., 8:16] * m.l(x)[..., :8].sigmoid() + m.l(x)[..., 16:].tanh(), ()),
        (lambda m, x: (lambda g, u: F.silu(g) * u)(*m.l(x).chunk(2, -1)), (12, 12)),
        (lambda m, x: (lambda q, k, v: attend(rotated(q), rotated(k), v))(*m.l(x).chunk(3, -1)), (8, 8, 8)),
        (lambda m, x: (lambda q, k, v: q.tanh() + k.repeat(1, 1, 4) * v.repeat(1, 1, 4))(*m.l(x).split([16, 4, 4], -1)), (16, 4, 4)),
        (lambda m, x: torch.relu(m.l(x)), ()),
        (lambda m, x: torch.relu(m.l(x)) + m.l(x)[..., :1], ()),
        (lambda m, x: (lambda a, b: a.tanh() * b)(*m.l(x).chunk(2, 0)), ()),
        (lambda m, x: (lambda a, b: a.tanh() * b)(*m.l(x)[:, :4].chunk(2, 1)), ()),
        (lambda m, x: m.l(x)[:, 0].tanh() + m.l(x)[:, 1], ()),
    ],
    ids=[
        "chunk",
        "split",
        "unbind",
        "interleaved",
        "three-calls",
        "gate-up",
        "rotary",
        "grouped-query",
        "whole",
        "whole-and-part",
        "batch",
        "tokens",
        "token",
    ],
)
def test_parts_of_a_linear_output(body, expected):
    assert packed(body, l=(8, 24)) == expected


def test_attention_of_torch():
    assert packed(lambda m, x: m.a(x, x, x)[0], "a.in_proj_weight", a=lambda: nn.MultiheadAttention(8, 2, batch_first=True)) == (8, 8, 8)


def test_recurrent_gates():
    body = lambda m, x: m.rnn(x)[0]
    assert packed(body, "rnn.weight_hh_l0", rnn=lambda: nn.LSTM(8, 5)) == (5, 5, 5, 5)
    assert packed(body, "rnn.weight_ih_l0", rnn=lambda: nn.GRU(8, 5)) == (5, 5, 5)
    assert packed(body, "rnn.weight_hh_l0", rnn=lambda: nn.RNN(8, 5)) == ()


def test_channels_of_a_convolution():
    def body(m, x):
        first, second = m.c(x).chunk(2, 1)
        return first.tanh() * second

    assert packed(body, "c.weight", (4, 3, 8, 8), c=lambda: nn.Conv2d(3, 12, 3)) == (6, 6)
    assert (
        packed(
            lambda m, x: torch.cat([m.c(x)[..., :3].tanh(), m.c(x)[..., 3:]], -1), "c.weight", (4, 3, 8, 8), c=lambda: nn.Conv2d(3, 12, 3)
        )
        == ()
    )
