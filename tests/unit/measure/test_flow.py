import math

import pytest
import torch
from torch import nn

from initcheck.measure.gradient.flow import gradient_flow


def flows(model, x, first=None, forward=None):
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    run = forward or (lambda: [model(x)])
    found = gradient_flow(model, dict(model.named_parameters()), run, seed=0, first=first)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.detach().view(torch.int32), before[name].view(torch.int32)), name
        assert parameter.grad is None
    return {flow.parameter: flow.state for flow in found}


@pytest.fixture
def x():
    return torch.randn(16, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def mlp(*activations):
    layers = []
    for activation in activations:
        layers += [nn.Linear(8, 8), activation]
    return nn.Sequential(*layers, nn.Linear(8, 8))


def test_a_healthy_network_flows_in_one_pass(x):
    model = mlp(nn.ReLU(), nn.Tanh())
    passes = []

    def run():
        passes.append(1)
        return [model(x)]

    assert set(flows(model, x, forward=run).values()) == {"flows"}
    assert len(passes) == 1


def test_a_zero_head_delays_the_body(x):
    model = mlp(nn.ReLU())
    nn.init.zeros_(model[2].weight)
    assert flows(model, x) == {"0.weight": "late", "0.bias": "late", "2.weight": "flows", "2.bias": "flows"}


def test_two_zero_barriers_need_two_steps(x):
    model = mlp(nn.Tanh(), nn.Tanh())
    nn.init.zeros_(model[4].weight)
    nn.init.zeros_(model[2].weight)
    nn.init.constant_(model[2].bias, 0.5)
    states = flows(model, x)
    assert states["4.weight"] == "flows"
    assert states["2.weight"] == "late"
    assert states["0.weight"] == "late"


def test_the_steps_until_a_late_gradient_are_counted(x):
    model = mlp(nn.Tanh(), nn.Tanh())
    nn.init.zeros_(model[4].weight)
    nn.init.zeros_(model[2].weight)
    nn.init.constant_(model[2].bias, 0.5)
    found = gradient_flow(model, dict(model.named_parameters()), lambda: [model(x)], seed=0)
    steps = {flow.parameter: flow.steps for flow in found}
    assert (steps["4.weight"], steps["2.weight"], steps["0.weight"]) == (0, 1, 2)


def test_a_row_of_barriers_is_followed_while_each_step_wakes_one(x):
    model = mlp(nn.Tanh(), nn.Tanh(), nn.Tanh(), nn.Tanh())
    for index in (2, 4, 6, 8):
        nn.init.zeros_(model[index].weight)
        nn.init.constant_(model[index].bias, 0.5)
    states = flows(model, x)
    assert states["8.weight"] == "flows"
    assert {states[f"{index}.weight"] for index in (0, 2, 4, 6)} == {"late"}


class Product(nn.Module):
    def __init__(self, left, right):
        super().__init__()
        self.left = nn.Parameter(left)
        self.right = nn.Parameter(right)

    def forward(self, x):
        return x @ self.left @ self.right


def test_two_zero_factors_are_dead(x):
    assert set(flows(Product(torch.zeros(8, 2), torch.zeros(2, 8)), x).values()) == {"dead"}


def test_one_zero_factor_is_low_rank_adaptation(x):
    assert flows(Product(torch.randn(8, 2), torch.zeros(2, 8)), x) == {"left": "late", "right": "flows"}


def test_a_zero_layer_before_a_rectifier_is_dead(x):
    model = mlp(nn.ReLU())
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    assert flows(model, x) == {"0.weight": "dead", "0.bias": "dead", "2.weight": "dead", "2.bias": "flows"}


def test_a_zero_layer_before_gelu_lives(x):
    model = mlp(nn.GELU())
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    assert flows(model, x) == {"0.weight": "flows", "0.bias": "flows", "2.weight": "late", "2.bias": "flows"}


def test_a_very_negative_bias_is_dead(x):
    model = mlp(nn.ReLU())
    nn.init.constant_(model[0].bias, -100.0)
    assert flows(model, x)["0.weight"] == "dead"


def test_a_zero_scale_at_the_end_of_a_branch_is_late(x):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(8, 8)
            self.scale = nn.Parameter(torch.zeros(8))

        def forward(self, x):
            return x + self.scale * self.inner(x).relu()

    assert flows(Block(), x) == {"scale": "flows", "inner.weight": "late", "inner.bias": "late"}


def test_what_is_not_part_of_the_run_is_unreached(x):
    model = mlp(nn.ReLU())
    model.spare = nn.Linear(3, 3)
    states = flows(model, x, forward=lambda: [model[2](model[1](model[0](x)))])
    assert states["spare.weight"] == "unreached"
    assert states["0.weight"] == "flows"


def test_without_a_gradient_anywhere_all_is_unreached(x):
    model = mlp(nn.ReLU())
    assert set(flows(model, x, forward=lambda: [model(x).detach()]).values()) == {"unreached"}


def test_frozen_parameters_are_asked_and_stay_frozen(x):
    model = mlp(nn.ReLU())
    model[0].weight.requires_grad_(False)
    assert flows(model, x)["0.weight"] == "flows"
    assert not model[0].weight.requires_grad
    assert model[0].bias.requires_grad


def test_a_frozen_zero_stays_zero(x):
    model = Product(torch.randn(8, 2), torch.zeros(2, 8))
    model.right.requires_grad_(False)
    assert flows(model, x) == {"left": "dead", "right": "flows"}
    model.left.requires_grad_(False)
    assert flows(model, x) == {"left": "late", "right": "flows"}


def test_given_gradients_spare_the_first_pass(x):
    model = mlp(nn.ReLU())
    output = model(x)
    names = dict(model.named_parameters())
    first = dict(zip(names, torch.autograd.grad(output, list(names.values()), torch.ones_like(output)), strict=True))

    def run():
        pytest.fail("no pass was needed")

    assert set(flows(model, x, first=first, forward=run).values()) == {"flows"}
    first["0.weight"] = None
    assert flows(model, x, first=first, forward=run)["0.weight"] == "unreached"


def test_tiny_and_nonfinite_gradients_flow(x):
    model = nn.Linear(8, 8)
    tiny = torch.full((8, 8), 1e-40)
    assert flows(model, x, first={"weight": tiny, "bias": torch.full((8,), math.nan)}) == {"weight": "flows", "bias": "flows"}


def test_weights_come_back_when_the_model_raises(x):
    model = mlp(nn.ReLU())
    nn.init.zeros_(model[2].weight)
    runs = []

    def run():
        runs.append(1)
        if len(runs) == 2:
            raise ValueError("the loss exploded")
        return [model(x)]

    states = flows(model, x, forward=run)
    assert states == {"2.weight": "flows", "2.bias": "flows"}


def test_the_global_random_state_is_untouched(x):
    state = torch.random.get_rng_state()
    model = mlp(nn.ReLU())
    state = torch.random.get_rng_state()
    flows(model, x)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions(dtype, x):
    model = mlp(nn.Tanh()).to(dtype)
    nn.init.zeros_(model[2].weight)
    parameters = dict(model.named_parameters())
    found = gradient_flow(model, parameters, lambda: [model(x.to(dtype))], seed=0)
    assert {flow.parameter: flow.state for flow in found}["0.weight"] == "late"
    assert not model[2].weight.any()
