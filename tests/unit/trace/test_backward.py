"""Gradients at the outputs of operations, linked by sequence number."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from initcheck.trace.backward import backward
from initcheck.trace.session import preserved
from initcheck.trace.tracer import trace


class Watcher:
    def __init__(self):
        self.ops = {}
        self.gradients = {}

    def wants(self, op):
        return op not in ("mul", "add")

    def forward(self, node, op, output, inputs):
        self.ops[node] = op

    def backward(self, node, gradient):
        self.gradients[node] = gradient.clone()


def gradients(model, *args):
    """{operation: gradients in the order of execution}, and the cotangent's own share of the parameters' gradients."""
    watcher = Watcher()
    with preserved(model):
        assert backward(trace(model, args, {}, watcher), 0)
        parameters = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    found = {}
    for node in sorted(watcher.gradients):
        found.setdefault(watcher.ops[node], []).append(watcher.gradients[node])
    return found, parameters


class Net(nn.Module):
    def __init__(self, wrap=None):
        super().__init__()
        self.conv, self.norm, self.fc, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5), nn.Linear(5, 2)
        self.wrap = wrap or (lambda f, x: f(x))

    def body(self, x):
        return F.relu(self.norm(self.conv(x)), inplace=True)

    def forward(self, x):
        return self.head(torch.tanh(self.fc(self.wrap(self.body, x).mean((2, 3)))))


def check(model, x):
    found, parameters = gradients(model, x)
    assert [tuple(g.shape) for g in found["addmm"]] == [(2, 5), (2, 2)]
    assert [tuple(g.shape) for g in found["convolution"]] == [(2, 4, 4, 4)]
    assert torch.allclose(found["convolution"][0].sum((0, 2, 3)), parameters["conv.bias"], atol=1e-5)
    assert torch.allclose(found["addmm"][0].sum(0), parameters["fc.bias"], atol=1e-5)
    assert len(found["native_batch_norm"]) == len(found["relu"]) == 1


def test_gradients_belong_to_their_operations():
    check(Net(), torch.randn(2, 3, 6, 6))


def test_checkpoints_of_both_kinds():
    check(Net(lambda f, x: checkpoint(f, x, use_reentrant=False)), torch.randn(2, 3, 6, 6))
    check(Net(lambda f, x: checkpoint(f, x, use_reentrant=True)), torch.randn(2, 3, 6, 6, requires_grad=True))


def test_recurrent_region():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    found, _ = gradients(Model(), torch.randn(2, 5, 3))
    (gradient,) = found["recurrent"]
    assert gradient.shape == (2, 5, 4)
    assert gradient[:, :-1].abs().max() == 0


def test_nothing_through_no_grad():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.back, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            with torch.no_grad():
                features = self.back(x)
            return self.head(features)

    found, _ = gradients(Frozen(), torch.randn(2, 3))
    assert [tuple(g.shape) for g in found["addmm"]] == [(2, 2)]


def test_nothing_to_differentiate():
    model = nn.Linear(3, 3).requires_grad_(False)
    assert not backward(trace(model, (torch.randn(2, 3),), {}, Watcher()), 0)


def test_seed_decides_and_hooks_go():
    model = nn.Linear(3, 3)
    state = torch.get_rng_state()
    first, _ = gradients(model, torch.ones(2, 3))
    again, _ = gradients(model, torch.ones(2, 3))
    assert torch.equal(first["addmm"][0], again["addmm"][0])
    assert torch.equal(state, torch.get_rng_state())
