import pytest
import torch
from torch import nn

import initcheck
from initcheck.measure.gradient.barriers import lifted, zero_parameters
from initcheck.measure.signal.signals import SignalObserver
from initcheck.trace.backward import backward
from initcheck.trace.tracer import trace


def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))
    nn.init.zeros_(model[4].weight)
    model[4].bias.data.fill_(-0.0)
    return model


def test_zero_parameters_are_replaced_and_come_back_bit_for_bit():
    model = net()
    model[0].weight.requires_grad_(False)
    assert set(zero_parameters(model)) == {"4.weight", "4.bias"}
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    state = torch.random.get_rng_state()
    with pytest.raises(ValueError, match="inside"), lifted(model, 0) as names:
        assert names == ("4.weight", "4.bias")
        assert 0 < float(model[4].weight.detach().abs().max()) < 2e-3
        assert torch.equal(model[0].weight, before["0.weight"])
        raise ValueError("inside")
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.detach().view(torch.int32), before[name].view(torch.int32))
    assert torch.equal(state, torch.random.get_rng_state())


def measured(model, x):
    observer = SignalObserver(len(x))
    backward(trace(model, (x,), {}, observer), 0)
    return observer


def test_gradients_behind_a_zero_head_are_filled_in():
    model, x = net(), torch.randn(32, 8, generator=torch.Generator().manual_seed(1))
    observer = measured(model, x)
    hidden = [stats for stats in observer.results() if stats.gradient.known() and stats.gradient.get() == 0.0]
    assert len(hidden) >= 3
    with lifted(model, 0):
        again = measured(model, x)
    observer.fill(again)
    for stats, other in zip(observer.results(), again.results(), strict=True):
        assert stats.gradient.get() > 0
        assert stats.lifted == (stats.node in {one.node for one in hidden})
        if stats.lifted:
            assert stats.gradient == other.gradient


def test_a_zero_head_hides_no_vanishing_gradient():
    def build():
        layers = [part for _ in range(12) for part in (nn.Linear(64, 64), nn.ReLU())]
        model = nn.Sequential(*layers, nn.Linear(64, 10))
        nn.init.zeros_(model[-1].weight)
        return model

    report = initcheck.check(build, torch.randn(32, 64, generator=torch.Generator().manual_seed(0)))
    said = [text for finding in report.at_least("error") for text in (finding.message, *finding.symptoms)]
    assert any("gradients shrink" in text for text in said), report.findings


class Everything(nn.Module):
    """Batch normalization, dropout, a counter, a spectral norm, random numbers and a zero head."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.utils.spectral_norm(nn.Linear(8, 16))
        self.norm = nn.BatchNorm1d(16)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(16, 16)
        self.head = nn.Linear(16, 4)
        self.register_buffer("calls", torch.zeros(1))
        nn.init.zeros_(self.head.weight)
        self.fc2.weight.requires_grad_(False)
        self.last = None

    def forward(self, x):
        self.calls += 1
        self.last = self.drop(torch.relu(self.norm(self.fc1(x + 0.01 * torch.randn_like(x)))))
        return self.head(torch.relu(self.fc2(self.last)))


def test_a_whole_check_leaves_everything_as_it_was():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Everything().eval()
        model.norm.train()
    model.fc2.bias.grad = torch.ones(16)
    before = {name: value.detach().clone() for name, value in model.state_dict(keep_vars=True).items()}
    flags = [module.training for module in model.modules()]
    state = torch.random.get_rng_state()
    initcheck.check(model, torch.randn(16, 8, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(state, torch.random.get_rng_state())
    assert flags == [module.training for module in model.modules()]
    for name, value in model.state_dict(keep_vars=True).items():
        assert torch.equal(value.detach(), before[name]), name
    assert [name for name, value in model.named_parameters() if not value.requires_grad] == ["fc2.weight"]
    assert [name for name, value in model.named_parameters() if value.grad is not None] == ["fc2.bias"]
    assert model.last is None
