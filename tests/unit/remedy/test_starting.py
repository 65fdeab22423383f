"""Whole models by one policy: each context gets its scheme, deep stretches keep their moments, and what has no place is listed."""

import math

import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import UsageError
from initcheck.fix.module.applying import raw
from initcheck.fix.policy import POLICIES


def std(tensor):
    return float(tensor.detach().std())


def moments(model, x, first, last):
    """ln of the ratios of second moments between two modules: forward of their outputs, backward of the gradients there."""
    seen = []
    handles = [module.register_forward_hook(lambda _m, _i, out: seen.append(out)) for module in (first, last)]
    model(x)
    for handle in handles:
        handle.remove()
    (gradient,) = torch.autograd.grad(seen[1], seen[0], torch.randn(seen[1].shape, generator=torch.Generator().manual_seed(0)))
    square = [float(one.detach().double().square().mean()) for one in (*seen, gradient)]
    return math.log(square[1] / square[0]), math.log(square[2])


@pytest.mark.parametrize("curve", [nn.ReLU, nn.Tanh, nn.GELU, nn.SELU], ids=lambda curve: curve.__name__)
@pytest.mark.parametrize("data", [False, True], ids=["theory", "data"])
def test_thirty_plain_layers_keep_signal_and_gradient_within_a_factor_of_two(curve, data):
    torch.manual_seed(0)
    width = 192
    model = nn.Sequential(*[part for _ in range(30) for part in (nn.Linear(width, width), curve())], nn.Linear(width, 10))
    x = torch.randn(128, width, generator=torch.Generator().manual_seed(1))
    initcheck.initialize(model, x if data else None)
    forward, backward = moments(model, x, model[0], model[-3])
    assert abs(forward) < math.log(2) and abs(backward) < math.log(2)
    assert not initcheck.check(model, x).at_least("warning")


def test_residual_branches_start_as_nothing():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = nn.Linear(32, 32), nn.Linear(32, 32)

        def forward(self, x):
            return x + self.outer(torch.relu(self.inner(x)))

    model = nn.Sequential(nn.Linear(32, 32), *[Block() for _ in range(5)], nn.Linear(32, 4))
    initcheck.initialize(model, torch.randn(16, 32))
    assert not model[1].outer.weight.any() and not model[1].outer.bias.any()
    assert abs(std(model[1].inner.weight) - (2 / 32) ** 0.5) < 0.03


@pytest.mark.parametrize("size", [1, 32], ids=["ReZero", "LayerScale"])
def test_one_factor_of_a_scaled_branch_is_zero_or_small_and_never_both(size):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer, self.gate = nn.Linear(32, 32), nn.Linear(32, 32), nn.Parameter(torch.randn(size))

        def forward(self, x):
            return x + self.gate * self.outer(torch.relu(self.inner(x)))

    model = nn.Sequential(nn.Linear(32, 32), *[Block() for _ in range(5)], nn.Linear(32, 4))
    initcheck.initialize(model, torch.randn(16, 32))
    assert model[1].outer.weight.any()
    assert torch.equal(model[1].gate, torch.full((size,), 0.0 if size == 1 else 0.1))
    assert not initcheck.check(model, torch.randn(16, 32)).findings


def test_the_last_normalization_of_a_branch_starts_at_zero():
    from benchmarks.mutations.networks import Residual

    model = Residual()
    initcheck.initialize(model, torch.randn(8, 3, 16, 16))
    assert not model.blocks[0][4].weight.any()
    assert torch.equal(model.blocks[0][1].weight, torch.ones(32)) and torch.equal(model.stem[1].weight, torch.ones(32))


def test_recurrent_layers_get_their_gates_one_by_one():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.rnn, self.head = nn.Embedding(50, 16, padding_idx=0), nn.LSTM(16, 24, batch_first=True), nn.Linear(24, 5)

        def forward(self, ids):
            return self.head(self.rnn(self.tokens(ids))[0])

    model = Tagger()
    initcheck.initialize(model, torch.randint(0, 50, (8, 6)))
    for gate in model.rnn.weight_hh_l0.detach().chunk(4):
        assert torch.allclose(gate @ gate.T, torch.eye(24), atol=1e-5)
    assert torch.equal(model.rnn.bias_ih_l0[24:48], torch.ones(24)) and not model.rnn.bias_hh_l0.any()
    assert abs(std(model.rnn.weight_ih_l0) - (2 / 40) ** 0.5) < 0.02
    assert not model.tokens.weight[0].any() and abs(std(model.tokens.weight[1:]) - 1.0) < 0.1


def test_a_transformer_gets_small_normals_and_its_tied_head_one_draw():
    from benchmarks.mutations.networks import Decoder

    model = Decoder()
    result = initcheck.initialize(model, torch.randint(0, 300, (4, 16)))
    assert abs(std(model.blocks[0].q.weight) - 0.02) < 0.002
    assert abs(std(model.blocks[0].down.weight) - 0.02 / 6**0.5) < 0.001
    assert model.head.weight is model.tokens.weight and abs(std(model.tokens.weight) - 0.02) < 0.002
    assert not initcheck.check(model, torch.randint(0, 300, (4, 16))).at_least("warning")
    assert not result.left


def test_true_fans_are_used_where_torch_counts_others():
    model = nn.Sequential(
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, groups=4, padding=1), nn.ReLU()
    )
    initcheck.initialize(model, torch.randn(8, 32, 8, 8))
    assert abs(std(model[0].weight) / (2 / (32 * 16 / 4)) ** 0.5 - 1) < 0.05
    assert abs(std(model[2].weight) / (2 / (4 * 9)) ** 0.5 - 1) < 0.1


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_every_policy_is_seeded_leaves_the_random_state_and_passes_the_check(policy):
    def build():
        return nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    x = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
    models = [build() for _ in range(3)]
    state = torch.get_rng_state()
    results = [initcheck.initialize(model, x, policy, seed=seed) for model, seed in zip(models, (1, 1, 2), strict=True)]
    assert torch.equal(torch.get_rng_state(), state)
    assert [raw(one) for one in models[0].parameters()] == [raw(one) for one in models[1].parameters()]
    assert raw(models[0][0].weight) != raw(models[2][0].weight)
    assert results[0].policy == policy and policy in str(results[0])
    assert not [one for one in initcheck.check(models[0], x).at_least("error")]


def test_lsuv_gives_every_pre_activation_unit_second_moment():
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 16, 10))
    x = 5 * torch.randn(32, 3, 8, 8)
    result = initcheck.initialize(model, x, "lsuv")
    assert len(result.moments) == 3 and all(abs(moment - 1) <= 0.05 for _, moment in result.moments)
    y = x
    for module in model:
        y = module(y)
        if hasattr(module, "weight"):
            assert abs(float(y.detach().square().mean()) - 1) < 0.06


def test_lsuv_without_inputs_says_on_what_it_ran():
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 10))
    result = initcheck.initialize(model, policy="lsuv")
    assert "synthesised" in str(result) and result.moments


def test_what_was_not_used_or_is_frozen_is_left_and_listed():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare, self.fixed = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8).requires_grad_(False)

        def forward(self, x):
            return self.fixed(torch.relu(self.used(x)))

    model = Spare()
    before = [raw(tensor) for tensor in (*model.spare.parameters(), *model.fixed.parameters())]
    result = initcheck.initialize(model, torch.randn(8, 8))
    assert [raw(tensor) for tensor in (*model.spare.parameters(), *model.fixed.parameters())] == before
    reasons = {one.parameter: one.reason for one in result.left}
    assert reasons["fixed.weight"] == "it is frozen" and "run" in reasons["spare.weight"]
    assert "Left as they were" in str(result)


def test_a_model_that_does_not_run_is_left_as_it_is():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 8)

        def forward(self, x):
            raise RuntimeError("not today")

    model = Broken()
    before = [raw(tensor) for tensor in model.parameters()]
    result = initcheck.initialize(model, torch.randn(8, 8))
    assert [raw(tensor) for tensor in model.parameters()] == before
    assert not result.written and result.left and "nothing is known" in str(result)


def test_an_unknown_policy_is_refused():
    with pytest.raises(UsageError, match="no policy") as caught:
        initcheck.initialize(nn.Linear(4, 4), policy="magic")
    assert "lsuv" in caught.value.hint
