"""Live models are healed in place, what does not help is taken back, and what is not to be touched is not."""

import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import UsageError
from initcheck.fix.module.applying import raw


def state(model):
    return {name: raw(tensor) for name, tensor in model.state_dict().items()}


def deep(width=64, depth=12):
    return nn.Sequential(*[part for _ in range(depth) for part in (nn.Linear(width, width), nn.ReLU())], nn.Linear(width, 4))


def zeroed():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
    nn.init.zeros_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    return model


def test_a_default_start_under_depth_is_healed_without_leave():
    torch.manual_seed(0)
    model = deep()
    result = initcheck.fix(model, inputs=torch.randn(32, 64))
    assert result.ok and not result.remaining
    assert result.rows and all(row.state == "fixed" for row in result.rows)
    assert initcheck.check(model, torch.randn(32, 64)).ok
    assert "Re-initialized" in str(result) and result.digest[:16] in str(result)


def test_what_the_author_wrote_stays_without_leave():
    model = zeroed()
    before = state(model)
    result = initcheck.fix(model, inputs=torch.randn(32, 16))
    assert state(model) == before
    assert not result.applied and not result.restored
    assert "unsafe=True" in result.declined[0].reason and "unsafe=True" in str(result)
    assert initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 16)).ok


def test_the_second_time_nothing_happens():
    model = zeroed()
    initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 16))
    before = state(model)
    again = initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 16))
    assert state(model) == before and str(again) == "Nothing to apply."


def test_the_random_state_modes_gradients_and_buffers_stay():
    model = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4)).eval()
    nn.init.constant_(model[0].weight, 0.1)
    model[3].weight.grad = torch.ones_like(model[3].weight)
    before, rng = {name: raw(tensor) for name, tensor in model.named_buffers()}, torch.get_rng_state()
    result = initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 16, generator=torch.Generator().manual_seed(0)))
    assert "0.weight" in result.written
    assert torch.equal(torch.get_rng_state(), rng) and not model.training
    assert {name: raw(tensor) for name, tensor in model.named_buffers()} == before
    assert torch.equal(model[3].weight.grad, torch.ones_like(model[3].weight))


class Subtracting(nn.Module):
    """Dead whatever the weights are: 8 is taken off in front of the rectifier. The draw that is offered for the zero weight cannot help."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(64, 64), nn.Linear(64, 4)
        nn.init.zeros_(self.inner.weight)

    def forward(self, x):
        return self.head(torch.relu(self.inner(x) - 8))


def test_a_remedy_that_does_not_help_is_taken_back_byte_for_byte():
    model = Subtracting()
    before = state(model)
    result = initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 64))
    assert state(model) == before
    assert result.restored and "Nothing was changed" in str(result)
    assert any("taken back" in one.reason for one in result.declined)


def test_only_treats_the_rules_that_are_named():
    model = zeroed()
    nn.init.constant_(model[0].weight, 0.1)
    result = initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 16), only="IC9")
    assert not result.applied and not result.declined


def test_a_report_of_another_model_is_refused():
    report = initcheck.check(zeroed(), torch.randn(32, 16))
    with pytest.raises(UsageError, match="another model"):
        initcheck.fix(nn.Linear(4, 4), report)
    with pytest.raises(UsageError, match="0 models"):
        initcheck.fix(zeroed(), initcheck.Report(()))


def test_an_old_report_scales_nothing_twice():
    class Hot(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 10)

        def forward(self, x):
            return 20 * self.head(self.norm(x))

    torch.manual_seed(0)
    report, model = initcheck.check(Hot, torch.randn(32, 64)), Hot()
    first = initcheck.fix(model, report, unsafe=True, inputs=torch.randn(32, 64))
    before = state(model)
    second = initcheck.fix(model, report, unsafe=True, inputs=torch.randn(32, 64))
    assert first.written == ("head.weight",) and not second.written and state(model) == before


def test_frozen_weights_need_leave():
    model = deep()
    model.requires_grad_(False)
    model[-1].requires_grad_(True)
    result = initcheck.fix(model, inputs=torch.randn(32, 64))
    assert not result.written


def test_tied_weights_are_drawn_once_and_stay_tied():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.norm, self.head = nn.Embedding(500, 128), nn.LayerNorm(128), nn.Linear(128, 500, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, ids):
            return self.head(self.norm(self.tokens(ids)))

    model = Words()
    ids = torch.randint(0, 500, (16, 8))
    careful = initcheck.fix(model, inputs=ids)
    assert not careful.written
    result = initcheck.fix(model, unsafe=True, inputs=ids)
    assert result.ok and result.written == ("tokens.weight",)
    assert model.head.weight is model.tokens.weight
    assert abs(float(model.tokens.weight.detach().std()) - 0.02) < 0.002


def shouting(wrap):
    """Eight layers of N(0, 1) in front of a healthy head: the huge logits are their doing, not the head's."""
    torch.manual_seed(0)
    model = nn.Sequential(*[part for _ in range(8) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))
    for index in range(0, 16, 2):
        nn.init.normal_(model[index].weight, std=1.0)
        nn.init.zeros_(model[index].bias)
        wrap(model[index])
    return model


@pytest.mark.parametrize(
    "wrap", [lambda layer: layer, nn.utils.parametrizations.weight_norm, nn.utils.weight_norm], ids=["plain", "new", "old"]
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
def test_the_cause_is_healed_and_what_it_made_look_wrong_is_left(wrap):
    model = shouting(wrap)
    head = raw(model[16].weight)
    result = initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 64))
    assert result.ok and not result.remaining
    assert raw(model[16].weight) == head
    with torch.no_grad():
        assert 0.1 < float(model[:16](torch.randn(64, 64)).square().mean()) < 10


def test_a_factor_that_had_to_wait_is_tried_when_the_others_fail():
    class Hot(nn.Module):
        def __init__(self):
            super().__init__()
            self.dead = Subtracting()
            self.body, self.norm, self.head = nn.Linear(64, 64), nn.LayerNorm(64), nn.Linear(64, 10)

        def forward(self, x):
            return 20 * self.head(self.norm(self.body(x))), self.dead(x)

    model = Hot()
    result = initcheck.fix(model, unsafe=True, inputs=torch.randn(32, 64))
    assert [one.code for one in result.applied] == ["IC107"] and result.written == ("head.weight",)
    assert any("taken back" in one.reason for one in result.declined)


def test_results_are_records():
    from initcheck.records.fixing import FixResult
    from initcheck.records.serial import from_plain, to_plain

    result = initcheck.fix(zeroed(), unsafe=True, inputs=torch.randn(32, 16))
    assert from_plain(FixResult, to_plain(result)) == result
