import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initcheck.measure.signal.outputs import output_stats
from initcheck.measure.signal.signals import SignalObserver
from initcheck.records.fact import Known, Unknown


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def one(op, output, *inputs, batch=None):
    observer = SignalObserver(output.shape[0] if batch is None else batch)
    observer.forward(7, op, output, inputs)
    (stats,) = observer.results()
    assert stats.node == 7
    return stats


def test_wants_what_is_measured_and_nothing_else():
    observer = SignalObserver(4)
    for op in (
        "addmm",
        "mm",
        "convolution",
        "embedding",
        "relu",
        "relu_",
        "tanh",
        "native_batch_norm",
        "recurrent",
        "custom",
        "add",
        "mul",
    ):
        assert observer.wants(op), op
    for op in ("view", "sub", "_softmax", "max_pool2d_with_indices", "cat", "parameter", ""):
        assert not observer.wants(op), op


def test_he_network_keeps_the_second_moment_forward_and_backward(generator):
    width, batch, depth = 512, 64, 6
    weights = [torch.randn(width, width, generator=generator) * math.sqrt(2 / width) for _ in range(depth)]
    observer = SignalObserver(batch)
    x = torch.randn(batch, width, generator=generator)
    pre = []
    for index, weight in enumerate(weights):
        z = (x @ weight.T).requires_grad_() if index == 0 else x @ weight.T
        z.retain_grad()
        observer.forward(2 * index, "mm", z.detach(), (x.detach(), weight.T))
        x = functional.relu(z)
        observer.forward(2 * index + 1, "relu", x.detach(), (z.detach(),))
        pre.append(z)
    pre[-1].backward(torch.randn(pre[-1].shape, generator=generator))
    for index, z in enumerate(pre):
        observer.backward(2 * index, z.grad)
    stats = {entry.node: entry for entry in observer.results()}
    for index in range(depth):
        assert stats[2 * index].second_moment == pytest.approx(2.0, rel=0.25)
        assert stats[2 * index].gradient.get() == pytest.approx(1.0, rel=0.25)
        assert stats[2 * index].input_second_moment == pytest.approx(1.0, rel=0.25)
        assert stats[2 * index + 1].derivative == pytest.approx(0.5, abs=0.05)
        assert stats[2 * index + 1].dead < 0.2
    fractions = [stats[2 * index].sample_fraction.get() for index in range(depth)]
    assert fractions == sorted(fractions, reverse=True)
    assert fractions[0] == pytest.approx(1 - 1 / batch, abs=0.01)


def test_exact_numbers_of_a_matrix():
    z = torch.tensor([[1.0, 3.0], [3.0, 3.0]])
    stats = one("addmm", z, torch.zeros(2), torch.full((2, 3), 2.0), torch.ones(3, 2))
    assert stats.second_moment == pytest.approx(7.0)
    assert stats.mean_square == pytest.approx(((2**2 + 3**2) / 2) / 7)
    assert stats.sample_fraction == Known(pytest.approx(2 / 28))
    assert stats.input_second_moment == pytest.approx(4.0)
    assert stats.gradient == Unknown("no backward pass")
    assert not stats.nonfinite


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_convolution_matches_the_definition(generator, memory):
    z = (torch.randn(8, 5, 6, 7, generator=generator) + torch.randn(5, 1, 1, generator=generator)).to(memory_format=memory)
    gradient = torch.randn(8, 5, 6, 7, generator=generator).to(memory_format=memory)
    observer = SignalObserver(8)
    observer.forward(0, "convolution", z, (z, None))
    observer.backward(0, gradient)
    (stats,) = observer.results()
    q = z.square().mean()
    assert stats.second_moment == pytest.approx(float(q), rel=1e-5)
    assert stats.mean_square == pytest.approx(float(z.mean((0, 2, 3)).square().mean() / q), rel=1e-5)
    assert stats.sample_fraction.get() == pytest.approx(float((z - z.mean(0)).square().mean() / q), rel=1e-5)
    assert stats.gradient.get() == pytest.approx(float(gradient.square().sum((2, 3)).mean()), rel=1e-5)


def test_gradient_of_flattened_positions_is_summed_over_them():
    observer = SignalObserver(2)
    z = torch.ones(2 * 3, 4)
    observer.forward(0, "addmm", z, (None, z, None))
    observer.backward(0, torch.full((6, 4), 2.0))
    (stats,) = observer.results()
    assert stats.gradient == Known(pytest.approx(3 * 4.0))


def test_a_node_without_gradient_says_so():
    observer = SignalObserver(2)
    for node in (0, 1):
        observer.forward(node, "mm", torch.ones(2, 2), ())
    observer.backward(1, torch.ones(2, 2))
    observer.backward(99, torch.ones(2, 2))
    first, second = observer.results()
    assert first.gradient == Unknown("no gradient arrived here")
    assert second.gradient == Known(1.0)


def test_collapsed_samples_are_resolved_below_single_precision(generator):
    z = torch.randn(1, 64, generator=generator) + 1e-5 * torch.randn(32, 64, generator=generator)
    expected = float((z.double() - z.double().mean(0)).square().sum() / z.double().square().sum())
    assert one("mm", z).sample_fraction.get() == pytest.approx(expected, rel=0.05)
    assert one("mm", torch.ones(8, 4)).sample_fraction == Known(0.0)


def test_one_sample_is_not_a_collapse():
    assert one("mm", torch.ones(1, 4)).sample_fraction == Unknown("one sample only")
    assert one("mm", torch.zeros(3, 4)).sample_fraction == Unknown("the signal is zero")


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e18, 1e30])
def test_scales_whose_squares_leave_single_precision(scale, generator):
    z = torch.randn(64, 64, generator=generator).double()
    stats = one("mm", (z * scale).float())
    assert stats.second_moment == pytest.approx(float(z.square().mean()) * scale * scale, rel=1e-4)
    assert not stats.nonfinite


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_nonfinite_is_said(bad):
    z = torch.ones(4, 4)
    z[1, 2] = bad
    stats = one("mm", z)
    assert stats.nonfinite
    assert stats.sample_fraction == Unknown("the signal is not finite")


def test_nonfinite_gradients():
    observer = SignalObserver(1)
    for node, bad in enumerate((math.inf, math.nan)):
        observer.forward(node, "mm", torch.ones(1, 2), ())
        observer.backward(node, torch.tensor([[1.0, bad]]))
    infinite, undefined = observer.results()
    assert infinite.gradient == Known(math.inf)
    assert undefined.gradient == Unknown("the gradient holds NaN")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_other_dtypes(dtype):
    stats = one("mm", torch.full((4, 3), 300.0, dtype=dtype))
    assert stats.second_moment == pytest.approx(9e4, rel=1e-2) if dtype.is_complex is False else stats.second_moment == pytest.approx(4.5e4)


def test_what_holds_no_floats_is_left_out():
    observer = SignalObserver(1)
    observer.forward(0, "add", torch.ones(2, 2, dtype=torch.int64), ())
    observer.forward(1, "mm", torch.ones(0, 2), ())
    observer.forward(2, "mm", torch.ones(2, 2, device="meta"), ())
    assert observer.results() == ()


def test_dead_units_of_a_matrix_and_of_channels(generator):
    z = torch.randn(32, 10, generator=generator)
    z[:, :3] = -1.0
    assert one("relu", z.relu(), z).dead == pytest.approx(0.3)
    image = torch.randn(4, 8, 5, 5, generator=generator)
    image[:, ::2] = -0.5
    observer = SignalObserver(4)
    observer.forward(0, "convolution", image, ())
    observer.forward(1, "native_batch_norm", image, ())
    observer.forward(2, "relu", image.relu(), (image,))
    observer.forward(3, "hardtanh", functional.relu6(image), (image,))
    stats = observer.results()
    assert stats[2].dead == pytest.approx(0.5)
    assert stats[3].dead == pytest.approx(0.5)
    assert stats[1].dead is None


def test_units_after_a_linear_layer_are_the_last_axis(generator):
    z = torch.randn(4, 6, 5, generator=generator)
    z[..., 0] = -1.0
    assert one("relu", z.relu(), z).dead == pytest.approx(0.2)


def test_leaky_units_are_never_dead():
    z = -torch.ones(4, 4)
    stats = one("leaky_relu", functional.leaky_relu(z, 0.25), z)
    assert stats.dead is None
    assert stats.derivative == pytest.approx(0.0625)


@pytest.mark.parametrize(("op", "function", "level"), [("tanh", torch.tanh, 10.0), ("sigmoid", torch.sigmoid, 20.0)])
def test_saturation(op, function, level):
    z = torch.cat([torch.full((4, 1), level), torch.full((4, 1), -level), torch.zeros(4, 2)], dim=1)
    assert one(op, function(z), z).saturated == pytest.approx(0.5)


def test_saturation_of_clamps():
    z = torch.tensor([[-5.0, -0.5, 0.5, 5.0]])
    assert one("hardtanh", functional.hardtanh(z), z).saturated == pytest.approx(0.5)
    wide = torch.tensor([[-5.0, -1.0, 3.0, 9.0]])
    assert one("hardtanh", functional.relu6(wide), wide).saturated == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("op", "module"),
    [
        ("relu", nn.ReLU()),
        ("tanh", nn.Tanh()),
        ("sigmoid", nn.Sigmoid()),
        ("gelu", nn.GELU()),
        ("silu", nn.SiLU()),
        ("elu", nn.ELU(alpha=0.7)),
        ("elu", nn.SELU()),
        ("leaky_relu", nn.LeakyReLU(0.2)),
        ("mish", nn.Mish()),
        ("softplus", nn.Softplus()),
        ("softsign", nn.Softsign()),
        ("hardtanh", nn.Hardtanh()),
    ],
)
def test_derivative_against_autograd(op, module, generator):
    z = torch.randn(80, 100, generator=generator).requires_grad_()
    y = module(z)
    (slope,) = torch.autograd.grad(y.sum(), z)
    assert one(op, y.detach(), z.detach()).derivative == pytest.approx(float(slope.square().mean()), rel=1e-3)


def test_derivative_of_an_overwritten_input_is_not_guessed():
    z = torch.randn(8, 8)
    functional.leaky_relu_(z, 0.1)
    assert one("leaky_relu", z, z).derivative is None


def test_logits_with_closed_form_excess(generator):
    logits = 0.5 * torch.randn(2000, 10, generator=generator)
    (stats,) = output_stats([(3, logits)])
    assert (stats.node, stats.shape, stats.classes) == (3, (2000, 10), 10)
    assert stats.excess_loss == pytest.approx(0.11, abs=0.01)
    assert stats.logit_std == pytest.approx(0.5 * math.sqrt(0.9), rel=0.03)
    targets = torch.randint(10, (2000,), generator=generator)
    assert stats.excess_loss == pytest.approx(float(functional.cross_entropy(logits, targets)) - math.log(10), abs=0.05)


def test_class_axes_and_outputs_without_classes():
    shapes = [(4, 7), (4, 9, 7), (4, 7, 9, 9), (4, 7, 3, 3, 3)]
    found = output_stats([(index, torch.zeros(shape)) for index, shape in enumerate(shapes)])
    assert [stats.classes for stats in found] == [7, 7, 7, 7]
    assert all(stats.excess_loss == pytest.approx(0.0, abs=1e-12) for stats in found)
    assert (
        output_stats([(0, torch.zeros(4)), (1, torch.zeros(4, 1)), (2, torch.zeros(4, 3, dtype=torch.int64)), (3, torch.zeros(0, 3))]) == ()
    )
    (bad,) = output_stats([(0, torch.full((2, 3), math.inf))])
    assert math.isnan(bad.excess_loss)


def test_large_logits_do_not_overflow():
    (stats,) = output_stats([(0, torch.tensor([[1e4, -1e4], [-1e4, 1e4]], dtype=torch.float16))])
    assert stats.excess_loss == pytest.approx(1e4, rel=1e-2)


@pytest.mark.parametrize("shape", [(64, 4096), (32, 64, 32, 32), (8, 100, 577)])
def test_samples_of_large_outputs_are_close_to_the_whole(shape, generator):
    z = torch.randn(shape, generator=generator) * torch.linspace(0.1, 2.0, shape[-1])
    stats = one("silu", functional.silu(z), z)
    assert stats.second_moment == pytest.approx(float(functional.silu(z).square().mean()), rel=0.06)
    assert one("convolution", z, z).input_second_moment == pytest.approx(float(z.square().mean()), rel=0.06)
    slope = torch.sigmoid(z) * (1 + z * (1 - torch.sigmoid(z)))
    assert stats.derivative == pytest.approx(float(slope.square().mean()), rel=0.06)


def test_a_unit_that_lives_late_in_the_batch_lives():
    z = -torch.ones(64, 4, 3, 3)
    z[:, 0] = 1.0
    z[63, 1, 2, 2] = 1.0
    observer = SignalObserver(64)
    observer.forward(0, "convolution", z, ())
    observer.forward(1, "relu", z.relu(), (z,))
    assert observer.results()[1].dead == pytest.approx(0.5)
