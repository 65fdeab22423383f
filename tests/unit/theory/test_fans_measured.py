"""Every row of the table of fans, measured as ratios of second moments through torch's own modules.

The tolerance of each ratio is 4.4 standard errors: a bilinear form in Gaussian weights, inputs and cotangents has a relative variance of
about 2 (1 / weights + 1 / inputs + 1 / outputs), divided by the number of draws.
"""

import math

import pytest
import torch
from torch import nn

from initcheck.theory.fans import (
    bilinear,
    contraction,
    conv,
    conv_transpose,
    embedding,
    expert_stack,
    linear,
    live_taps,
    live_taps_transposed,
    packed,
    transposed,
)

DRAWS = 8


def error(*counts, draws=DRAWS):
    return 4.4 * math.sqrt(2 * sum(1 / count for count in counts) / draws)


def inner(value, margin):
    return value[(..., *[slice(margin, -margin)] * (value.dim() - 2))] if margin else value


def check(fans, module, weight, inputs, margins=(0, 0), extra=()):
    """Both fans of one parameter of a module without biases, by standard normal draws of everything."""
    forward = backward = 0.0
    for seed in range(DRAWS):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            weight.copy_(torch.randn(weight.shape, generator=generator))
        x = torch.randn(inputs, generator=generator, requires_grad=True)
        y = module(x, *extra)
        (gradient,) = torch.autograd.grad(y, x, torch.randn(y.shape, generator=generator))
        y, gradient = inner(y, margins[0]), inner(gradient, margins[1])
        forward += y.square().mean().item() / DRAWS
        backward += gradient.square().mean().item() / DRAWS
    tolerance = error(weight.numel(), y.numel(), gradient.numel())
    assert forward == pytest.approx(fans.fan_in, rel=tolerance)
    assert backward == pytest.approx(fans.fan_out, rel=tolerance)


def test_linear():
    layer = nn.Linear(96, 48, bias=False)
    check(linear((48, 96)), layer, layer.weight, (256, 96))


# module, groups, stride, size of the image, margins of output and of input that the border reaches
CONVOLUTIONS = {
    "3x3": (nn.Conv2d(16, 32, 3, bias=False), 1, 1, 20, (0, 3)),
    "grouped": (nn.Conv2d(16, 32, 3, groups=4, bias=False), 4, 1, 20, (0, 3)),
    "depthwise": (nn.Conv2d(64, 64, 3, groups=64, bias=False), 64, 1, 20, (0, 3)),
    "stride 2": (nn.Conv2d(16, 32, 3, stride=2, bias=False), 1, 2, 25, (0, 4)),
    "stem": (nn.Conv2d(3, 64, 7, stride=2, bias=False), 1, 2, 41, (0, 8)),
    "patches": (nn.Conv2d(3, 96, 16, stride=16, bias=False), 1, 16, 64, (0, 0)),
    "dilated": (nn.Conv2d(16, 32, 3, dilation=2, bias=False), 1, 1, 24, (0, 5)),
    "1d": (nn.Conv1d(8, 24, 5, bias=False), 1, 1, 40, (0, 5)),
    "3d": (nn.Conv3d(4, 12, 3, bias=False), 1, 1, 10, (0, 3)),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name):
    layer, groups, stride, size, margins = CONVOLUTIONS[name]
    shape = tuple(layer.weight.shape)
    check(conv(shape, groups, stride), layer, layer.weight, (4, shape[1] * groups, *[size] * (len(shape) - 2)), margins)


TRANSPOSED = {
    "k4s2": (nn.ConvTranspose2d(16, 32, 4, stride=2, bias=False), 1, 2, 14, (4, 0)),
    "grouped": (nn.ConvTranspose2d(16, 32, 4, stride=2, groups=4, bias=False), 4, 2, 14, (4, 0)),
    "k2s2": (nn.ConvTranspose2d(8, 12, 2, stride=2, bias=False), 1, 2, 12, (0, 0)),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolution(name):
    layer, groups, stride, size, margins = TRANSPOSED[name]
    shape = tuple(layer.weight.shape)
    check(conv_transpose(shape, groups, (stride, stride)), layer, layer.weight, (4, shape[0], size, size), margins)


def test_a_stride_that_does_not_divide_the_kernel_makes_a_checkerboard():
    layer = nn.ConvTranspose2d(16, 32, 3, stride=2, bias=False)
    shape, phases = tuple(layer.weight.shape), {}
    for seed in range(DRAWS):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(shape, generator=generator))
            y = layer(torch.randn(8, 16, 12, 12, generator=generator))[..., 2:-3, 2:-3]
        for row in (0, 1):
            for column in (0, 1):
                part = y[..., row::2, column::2]
                phases[row, column] = phases.get((row, column), 0.0) + part.square().mean().item() / DRAWS
    tolerance = error(16 * 32, part.numel())
    assert sorted(phases.values()) == pytest.approx([16, 32, 32, 64], rel=tolerance)
    assert sum(phases.values()) / 4 == pytest.approx(conv_transpose(shape, 1, 2).fan_in, rel=tolerance)


def test_a_transposed_convolution_of_one_position():
    layer = nn.ConvTranspose2d(100, 64, 4, bias=False)
    taps = live_taps_transposed((1, 1), (4, 4), (1, 1), (0, 0), (1, 1), (0, 0))
    check(conv_transpose((100, 64, 4, 4), taps=taps), layer, layer.weight, (16, 100, 1, 1))


@pytest.mark.parametrize("size", [4, 16])
def test_zero_padding_costs_taps(size):
    layer = nn.Conv2d(16, 64, 3, padding=1, bias=False)
    taps = live_taps((size, size), (3, 3), (1, 1), (1, 1), (1, 1))
    counted = conv((64, 16, 3, 3), taps=taps)
    assert counted.fan_in == pytest.approx({4: 100.0, 16: 132.25}[size])
    check(contraction("io", (round(counted.fan_in), 1), "ni", "no"), _Scaled(layer, 64 * taps), layer.weight, (16, 16, size, size))


class _Scaled(nn.Module):
    """The layer followed by a division of its backward signal alone, so that only the forward fan is left to compare."""

    def __init__(self, layer, fan_out):
        super().__init__()
        self.layer, self.root = layer, math.sqrt(fan_out)

    def forward(self, x):
        return self.layer((x - x.detach()) / self.root + x.detach())


def test_padding_of_a_transposed_convolution():
    layer = nn.ConvTranspose2d(16, 32, 4, stride=2, padding=1, bias=False)
    taps = live_taps_transposed((16, 16), (4, 4), (2, 2), (1, 1), (1, 1), (0, 0))
    counted = conv_transpose((16, 32, 4, 4), 1, 2, taps)
    assert counted.fan_in == pytest.approx(60.06, abs=0.01)
    with torch.no_grad():
        layer.weight.normal_(generator=torch.Generator().manual_seed(0))
        y = layer(torch.randn(64, 16, 16, 16, generator=torch.Generator().manual_seed(1)))
    assert y.square().mean().item() == pytest.approx(counted.fan_in, rel=error(layer.weight.numel(), 64 * 16 * 256, draws=1))


def test_transposed_storage():
    weight = nn.Parameter(torch.empty(96, 48))
    check(transposed((96, 48)), lambda x: x @ weight, weight, (256, 96))


@pytest.mark.parametrize("blocks", [2, 3])
def test_packed_projections(blocks):
    layer = nn.Linear(64, blocks * 48, bias=False)
    fans = packed((blocks * 48, 64), blocks)
    check(fans, lambda x: layer(x).chunk(blocks, -1)[0], layer.weight, (256, 64))
    # the gradients of all blocks meet in the input
    check(linear((blocks * 48, 64)), layer, layer.weight, (256, 64))


@pytest.mark.parametrize(("shape", "equation", "first"), [((6, 24, 48), "ebi,eio->ebo", True), ((6, 48, 24), "ebi,eoi->ebo", False)])
def test_experts(shape, equation, first):
    weight = nn.Parameter(torch.empty(shape))
    check(expert_stack(shape, inputs_first=first), lambda x: torch.einsum(equation, x, weight), weight, (6, 64, 24))


def test_embedding_and_bags():
    table, ids = torch.randn(1000, 64, generator=torch.Generator().manual_seed(0)), torch.arange(1000)
    near = error(table.numel(), draws=1)
    assert nn.Embedding.from_pretrained(table)(ids).square().mean().item() == pytest.approx(embedding((1000, 64)).fan_in, rel=near)
    for mode in ("sum", "mean"):
        bags = nn.EmbeddingBag.from_pretrained(table, mode=mode)(ids.reshape(200, 5))
        assert bags.square().mean().item() == pytest.approx(embedding((1000, 64), 5, mode).fan_in, rel=error(bags.numel(), draws=1))


def test_bilinear_by_either_input():
    layer = nn.Bilinear(50, 40, 12, bias=False)
    other = torch.randn(256, 40, generator=torch.Generator().manual_seed(7))
    other /= other.square().mean().sqrt()
    fans = bilinear((12, 50, 40))
    check(contraction("io", (fans.fan_in, 12 * 40), "ni", "no"), layer, layer.weight, (256, 50), extra=(other,))
    check(contraction("io", (fans.fan_in, fans.fan_out), "ni", "no"), lambda x: layer(other_first, x), layer.weight, (256, 40))


other_first = torch.randn(256, 50, generator=torch.Generator().manual_seed(8))
other_first /= other_first.square().mean().sqrt()

SMALL = 1e-3
"""A size at which every nonlinearity of a cell is straight."""


def cell(module, open_gates=()):
    """A recurrent module with small weights; biases of the gates in `open_gates` (block, value) drive them to their ends."""
    generator = torch.Generator().manual_seed(3)
    blocks = module.bias_ih_l0.numel() // module.hidden_size
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * SMALL) if parameter.dim() > 1 else parameter.zero_()
        for block, value in open_gates:
            module.bias_ih_l0.view(blocks, -1)[block] = value
    return module


@pytest.mark.parametrize(
    ("kind", "gates", "blocks"), [(nn.RNN, (), 1), (nn.LSTM, ((0, 30.0), (1, -30.0), (3, 30.0)), 4), (nn.GRU, ((0, 30.0), (1, -30.0)), 3)]
)
def test_gates_of_recurrent_cells(kind, gates, blocks):
    module = cell(kind(96, 128), gates)
    x = torch.randn(1, 64, 96, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        both, _ = module(torch.cat([x, torch.zeros_like(x)]))
    inward, hidden = packed(tuple(module.weight_ih_l0.shape), blocks), packed(tuple(module.weight_hh_l0.shape), blocks)
    first, second = both[0].square().mean().item(), both[1].square().mean().item()
    near = error(96 * 128, 64 * 128, draws=1) + 2e-3
    assert first / SMALL**2 / x.square().mean().item() == pytest.approx(inward.fan_in, rel=near)
    assert second / SMALL**2 / first == pytest.approx(hidden.fan_in, rel=near)
    assert (inward.torch_fan_in, inward.torch_fan_out) == (96, 128 * blocks)


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_a_projected_lstm():
    module = cell(nn.LSTM(96, 128, proj_size=48), ((0, 30.0), (1, -30.0), (3, 30.0)))
    x = torch.randn(1, 64, 96, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        both, (_, state) = module(torch.cat([x, torch.zeros_like(x)]))
    hidden, projection = packed(tuple(module.weight_hh_l0.shape), 4), linear(tuple(module.weight_hr_l0.shape))
    assert (hidden.fan_in, projection.fan_in, projection.fan_out) == (48, 128, 48)
    near = error(48 * 128, 64 * 48, draws=1) + 2e-3
    cells = state.square().mean().item()
    assert both[1].square().mean().item() / SMALL**2 / cells == pytest.approx(projection.fan_in, rel=near)
    assert cells / SMALL**2 / both[0].square().mean().item() == pytest.approx(hidden.fan_in, rel=near)


def test_attention_of_torch_is_half_as_large_as_its_parts_ask():
    attention = nn.MultiheadAttention(128, 4)
    fans = packed(tuple(attention.in_proj_weight.shape), 3)
    assert attention.in_proj_weight.var().item() * fans.fan_in == pytest.approx(0.5, rel=error(attention.in_proj_weight.numel(), draws=1))


def test_default_of_a_bilinear_layer_grows_with_its_second_input():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = nn.Bilinear(50, 50, 64)
    generator = torch.Generator().manual_seed(1)
    y = layer(torch.randn(256, 50, generator=generator), torch.randn(256, 50, generator=generator))
    assert y.square().mean().item() == pytest.approx(50 / 3, rel=error(256 * 50, 256 * 64, draws=1))
