"""Which weights make the outputs, and what a sigmoid gate holds back."""

import pytest
import torch
from torch import nn

from initcheck.measure.signal.outputs import output_stats
from initcheck.measure.signal.signals import SignalObserver
from initcheck.trace.session import preserved
from initcheck.trace.tracer import trace
from tests.unit.infer.evidence import evidence, seeded


def heads(model, *inputs):
    with preserved(model):
        outputs = output_stats(trace(model, inputs, {}, SignalObserver(inputs[0].shape[0])).outputs)
    return evidence(model, *inputs, outputs=outputs).heads


def net(forward, **modules):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            for name, module in modules.items():
                setattr(self, name, module)

    Net.forward = forward
    return Net()


X = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))


def test_a_plain_head():
    (head,) = heads(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 5)), X)
    assert (head.weights, head.others, head.output.classes) == (("2.weight",), (), 5)


def test_two_heads_and_a_sum():
    model = net(lambda self, x: (self.a(x) + self.b(x), torch.tanh(self.c(x))), a=nn.Linear(8, 4), b=nn.Linear(8, 4), c=nn.Linear(8, 3))
    first, second = heads(model, X)
    assert set(first.weights) == {"a.weight", "b.weight"}
    assert (second.weights, second.others) == ((), ("tanh",))


def test_the_share_of_the_bias():
    model = seeded(lambda: nn.Linear(8, 64))
    assert heads(model, X)[0].bias_share < 0.6
    nn.init.normal_(model.bias, std=100.0)
    assert heads(model, X)[0].bias_share > 0.99
    nn.init.constant_(model.bias, 100.0)
    assert heads(model, X)[0].bias_share < 1e-9


def gated(value):
    gate = seeded(lambda: nn.Linear(8, 8))
    nn.init.constant_(gate.bias, value)
    model = net(
        lambda self, x: self.head(torch.sigmoid(self.gate(x)) * self.inner(x) + self.side(x)),
        gate=gate,
        inner=nn.Linear(8, 8),
        side=nn.Linear(8, 8),
        head=nn.Linear(8, 3),
    )
    return evidence(model, X).layer("gate.weight")


@pytest.mark.parametrize(("bias", "opening"), [(-5.0, 0.0067), (0.0, 0.5), (5.0, 0.993)])
def test_the_value_of_a_gate(bias, opening):
    layer = gated(bias)
    assert layer.gate.get() == pytest.approx(opening, rel=0.7)
    assert layer.gated == ("inner.weight",)


def test_a_gate_on_a_value_with_another_way_out_holds_nothing_back():
    model = net(
        lambda self, x: (lambda y: self.head(y + torch.sigmoid(self.gate(x)) * y))(self.inner(x)),
        gate=nn.Linear(8, 8),
        inner=nn.Linear(8, 8),
        head=nn.Linear(8, 3),
    )
    assert evidence(model, X).layer("gate.weight").gated == ()


def test_a_gated_linear_unit_shows_no_gate_value():
    model = nn.Sequential(nn.Linear(8, 16), nn.GLU(), nn.Linear(8, 3))
    assert not evidence(model, X).layer("0.weight").gate.known()


def test_kinds_of_a_tied_table():
    model = net(lambda self, ids: self.head(self.tokens(ids)), tokens=nn.Embedding(20, 8), head=nn.Linear(8, 20, bias=False))
    model.head.weight = model.tokens.weight
    found = evidence(model, torch.randint(0, 20, (16, 3)))
    assert found.layer("tokens.weight").kinds == ("embedding", "linear")
