"""After a run, everything is as it was."""

import random

import numpy
import pytest
import torch
from torch import nn
from torch.utils import checkpoint

from initcheck.trace.session import preserved


class Untidy(nn.Module):
    """Changes whatever a forward can change."""

    def __init__(self):
        super().__init__()
        self.norm, self.drop, self.fc = nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 4)
        self.register_buffer("count", torch.zeros(2))
        self.state = None
        self.fc.bias.requires_grad_(False)

    def forward(self, x, fail=False):
        self.count += 1
        self.count = self.count.clone()
        self.state = self.norm(x)
        self.extra = self.state * random.random() * numpy.random.rand() * torch.rand(1)
        self.fc.bias.requires_grad_(True)
        torch.set_default_dtype(torch.float64)
        self.eval()
        if fail:
            raise ValueError("no")
        return self.fc(self.drop(self.extra)).sum()


@pytest.mark.parametrize("fail", [False, True])
def test_all_is_restored(fail):
    model = Untidy()
    model.fc.weight.grad = gradient = torch.ones(4, 4)
    model.drop.eval()
    buffer = model.count
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    flags = [module.training for module in model.modules()]
    states = (random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state())
    try:
        with preserved(model):
            assert model.training
            model(torch.randn(8, 4), fail).backward()
            assert model.fc.weight.grad is not gradient
    except ValueError:
        assert fail
    assert model.fc.weight.grad is gradient
    assert bool((gradient == 1).all())
    assert model.count is buffer
    assert all(torch.equal(value, buffers[name]) for name, value in model.named_buffers())
    assert [module.training for module in model.modules()] == flags
    assert model.state is None
    assert not hasattr(model, "extra")
    assert not model.fc.bias.requires_grad
    assert model.norm.weight.grad is None
    assert torch.get_default_dtype() == torch.float32
    assert random.getstate() == states[0]
    assert numpy.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])


def test_training_without_chance():
    class StochasticDepth(nn.Module):
        pass

    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(), StochasticDepth()).eval()
    with preserved(model):
        assert [module.training for module in model] == [True, False, False]
    assert not any(module.training for module in model)


def test_runs_inside_no_grad_and_inference_mode():
    model = nn.Linear(3, 3)
    with torch.no_grad(), preserved(model):
        assert model(torch.ones(1, 3)).requires_grad
    with torch.inference_mode(), preserved(model):
        assert model(torch.ones(1, 3)).requires_grad


def test_checkpoint_function_comes_back():
    original = checkpoint.CheckpointFunction.apply
    with preserved(nn.Linear(1, 1)):
        assert checkpoint.CheckpointFunction.apply(lambda x: x + 1, True, 1) == 2
    assert checkpoint.CheckpointFunction.apply == original
    assert "apply" not in vars(checkpoint.CheckpointFunction)


class LayerDropping(nn.Module):
    """Leaves each layer out with a probability that its configuration holds."""

    def __init__(self):
        super().__init__()
        self.config = type("Config", (), {})()
        self.config.layerdrop = 0.9
        self.layerdrop = 0.5
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(6)])

    def forward(self, x):
        used = 0
        for layer in self.layers:
            if not (self.training and random.random() < max(self.config.layerdrop, self.layerdrop)):
                x, used = layer(x), used + 1
        return x, used


def test_no_layer_is_left_out_by_chance():
    model = LayerDropping()
    with preserved(model):
        assert model(torch.randn(2, 4))[1] == 6
    assert (model.config.layerdrop, model.layerdrop) == (0.9, 0.5)
