"""Fans against measured second moments of torch's own layers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from initcheck.errors import NotKnown
from initcheck.theory.fans import (
    Fans,
    bilinear,
    conv,
    conv_transpose,
    embedding,
    expert_stack,
    linear,
    live_taps,
    packed,
    torch_fans,
    transposed,
)

CONVOLUTIONS = {
    "plain": ((32, 16, 3, 3), 1, 1),
    "grouped": ((32, 4, 3, 3), 4, 1),
    "depthwise": ((32, 1, 3, 3), 32, 1),
    "strided": ((32, 16, 3, 3), 1, 2),
    "patches": ((96, 3, 16, 16), 1, 16),
    "stem": ((64, 3, 7, 7), 1, 2),
}
TRANSPOSED = {
    "k4s2": ((16, 32, 4, 4), 1, 2),
    "k3s2": ((16, 32, 3, 3), 1, 2),
    "grouped": ((16, 8, 4, 4), 4, 2),
    "k2s1": ((8, 12, 2, 2), 1, 1),
}


def interior(value: torch.Tensor, margin: int) -> torch.Tensor:
    return value[..., margin:-margin, margin:-margin]


def measured(run, weight_shape, input_shape, margin=0, draws=6):
    """fan_in and fan_out as the ratio of second moments, averaged over draws of weight, input and cotangent."""
    forward = backward = 0.0
    for seed in range(draws):
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randn(weight_shape, generator=generator)
        x = torch.randn(input_shape, generator=generator, requires_grad=True)
        y = run(x, weight)
        (gradient,) = torch.autograd.grad(y, x, torch.randn(y.shape, generator=generator))
        if margin:
            y, gradient = interior(y, margin), interior(gradient, margin)
        forward += y.square().mean().item() / draws
        backward += gradient.square().mean().item() / draws
    return forward, backward


def close(fans: Fans, found: tuple[float, float]) -> None:
    assert found == pytest.approx((fans.fan_in, fans.fan_out), rel=0.08)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name):
    shape, groups, stride = CONVOLUTIONS[name]
    size = 96 if stride == 16 else 40
    run = lambda x, w: F.conv2d(x, w, groups=groups, stride=stride)
    close(conv(shape, groups, stride), measured(run, shape, (2, shape[1] * groups, size, size), margin=2 if stride == 16 else 8 // stride))


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolution(name):
    shape, groups, stride = TRANSPOSED[name]
    run = lambda x, w: F.conv_transpose2d(x, w, groups=groups, stride=stride)
    close(conv_transpose(shape, groups, (stride, stride)), measured(run, shape, (4, shape[0], 20, 20), margin=6))


def test_matrices():
    close(linear((48, 96)), measured(F.linear, (48, 96), (512, 96)))
    close(transposed((96, 48)), measured(lambda x, w: x @ w, (96, 48), (512, 96)))
    assert torch_fans((96, 48)) == Fans(48, 96)


def test_bilinear():
    second = torch.randn(256, 40, generator=torch.Generator().manual_seed(7))
    found = measured(lambda x, w: F.bilinear(x, second, w), (12, 50, 40), (256, 50))
    assert found[0] == pytest.approx(bilinear((12, 50, 40)).fan_in, rel=0.08)
    assert found[1] == pytest.approx(12 * 40, rel=0.08)
    assert bilinear((12, 50, 40)).fan_out == 12 * 50


def test_embedding_reads_rows_as_they_are():
    table = torch.randn(1000, 64, generator=torch.Generator().manual_seed(0)) * 0.3
    assert F.embedding(torch.arange(1000), table).square().mean().item() == pytest.approx(0.09 * embedding((1000, 64)).fan_in, rel=0.02)


def test_packed_gates_and_experts():
    assert packed(tuple(nn.LSTM(24, 32).weight_ih_l0.shape), 4) == Fans(24, 32)
    assert packed((3 * 64, 64), 3) == Fans(64, 64)
    assert expert_stack((8, 24, 48)) == Fans(24, 48)
    assert expert_stack((8, 48, 24), inputs_first=False) == Fans(24, 48)
    experts = measured(lambda x, w: torch.bmm(x, w), (4, 24, 48), (4, 300, 24))
    close(expert_stack((4, 24, 48)), experts)
    with pytest.raises(NotKnown, match="divide"):
        packed((10, 4), 3)


@pytest.mark.parametrize(
    ("fans", "shape", "torchs"),
    [
        (conv((32, 4, 3, 3), 4), (32, 4, 3, 3), Fans(36, 288)),
        (conv((32, 1, 3, 3), 32), (32, 1, 3, 3), Fans(9, 288)),
        (conv((96, 3, 16, 16), 1, 16), (96, 3, 16, 16), Fans(768, 24576)),
        (conv_transpose((16, 32, 4, 4), 1, 2), (16, 32, 4, 4), Fans(512, 256)),
        (expert_stack((4, 24, 48)), (4, 24, 48), Fans(24 * 48, 4 * 48)),
    ],
)
def test_where_torch_counts_otherwise(fans, shape, torchs):
    assert torch_fans(shape) == torchs
    assert fans != torchs


@given(shape=st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_torch_fans_are_torchs(shape):
    fans = torch_fans(shape)
    assert (fans.fan_in, fans.fan_out) == nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize("count", [torch_fans, linear, transposed, embedding])
def test_vectors_have_no_fans(count):
    with pytest.raises(NotKnown, match="1 axes"):
        count((5,))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"), [(16, 3, 1, 1, 1), (4, 3, 1, 1, 1), (9, 5, 2, 2, 1), (12, 3, 1, 2, 2)]
)
def test_live_taps_are_those_of_a_convolution_of_ones(size, kernel, stride, padding, dilation):
    ones = F.conv2d(torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel), stride=stride, padding=padding, dilation=dilation)
    pairs = [(value, value) for value in (size, kernel, stride, padding, dilation)]
    assert live_taps(*pairs) == pytest.approx(ones.mean().item())


def test_live_taps_predict_what_padding_costs():
    taps = live_taps((4, 4), (3, 3), (1, 1), (1, 1), (1, 1))
    found = measured(lambda x, w: F.conv2d(x, w, padding=1), (64, 16, 3, 3), (32, 16, 4, 4))
    assert found[0] == pytest.approx(16 * taps, rel=0.05)
    with pytest.raises(NotKnown, match="fit"):
        live_taps((2,), (5,), (1,), (0,), (1,))


def test_a_fan_is_never_below_one():
    assert conv((1, 1, 1, 1), 1, 4) == Fans(1, 1)
    assert math.isfinite(conv((3, 1, 1), 3, 1).fan_out)
