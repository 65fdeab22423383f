"""Why no gradient reaches a parameter, told from whole checks."""

import pytest
import torch
from torch import nn

import initcheck
from tests.unit.infer.evidence import seeded


def x(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def no_gradient(build, inputs):
    """{parameter: message} of the rule, and its skips."""
    report = initcheck.check(seeded(build), inputs, select=("no-gradient",))
    assert not report.all_failures
    said = {name: finding.message for finding in report.findings for name in finding.parameters}
    return said, [skip.reason for model in report.models for skip in model.skips if skip.code == "IC110"]


class Cut(nn.Module):
    """Only one of two layers is read."""

    def __init__(self):
        super().__init__()
        self.read, self.unread, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, x):
        return self.head(torch.cat([self.read(x), self.unread(x)], 1)[:, :16])


class Routed(nn.Module):
    """Each sample goes to one of eight experts; `dense` runs all of them and masks."""

    def __init__(self, *, dense):
        super().__init__()
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16)) for _ in range(8))
        self.router, self.head = nn.Linear(16, 8), nn.Linear(16, 4)
        self.dense = dense

    def forward(self, x):
        weights = torch.softmax(self.router(x), -1)
        top, chosen = weights.topk(1)
        if self.dense:
            mask = torch.zeros_like(weights).scatter(1, chosen, top)
            return self.head(x + sum(mask[:, k : k + 1] * expert(x) for k, expert in enumerate(self.experts)))
        mixed = torch.zeros_like(x)
        for k, expert in enumerate(self.experts):
            mine = (chosen[:, 0] == k).nonzero()[:, 0]
            mixed = mixed.index_add(0, mine, expert(x[mine]) * top[mine])
        return self.head(x + mixed)


class OneStep(nn.Module):
    """A recurrence over a single step: the state is zero, so its matrix gets no gradient; the head is zero too."""

    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.LSTM(16, 16, batch_first=True), nn.Linear(16, 4)
        nn.init.zeros_(self.head.weight)

    def forward(self, x):
        return self.head(self.rnn(x[:, None])[0][:, -1])


@pytest.mark.parametrize("build", [Cut, lambda: Routed(dense=True), lambda: Routed(dense=False), OneStep])
def test_what_was_not_chosen_is_no_fault(build):
    said, skips = no_gradient(build, x(3, 16))
    assert not said
    assert skips


def test_one_key_leaves_queries_without_gradient_and_is_no_fault():
    class OneKey(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.head = nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 4)

        def forward(self, x):
            return self.head(self.attention(x, x, x)[0][:, 0])

    assert no_gradient(OneKey, x(8, 1, 16))[0] == {}


class Gated(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.value, self.gate, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)
        nn.init.constant_(self.gate.bias, bias)

    def forward(self, x):
        return self.head(x + torch.sigmoid(self.gate(x)) * self.value(x))


def test_a_gate_shut_for_ever_is_flat():
    said, _ = no_gradient(lambda: Gated(-300.0), x(8, 16))
    assert set(said) == {"gate.weight", "gate.bias"}
    assert all("flat" in message for message in said.values())
    assert no_gradient(lambda: Gated(-3.0), x(8, 16))[0] == {}


def test_a_constant_zero_factor():
    class Muted(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)

        def forward(self, x):
            return self.head(self.a(x) + 0.0 * self.b(x))

    said, _ = no_gradient(Muted, x(8, 16))
    assert set(said) == {"b.weight", "b.bias"}
    assert all("multiplied by zero" in message for message in said.values())


class Scaled(nn.Module):
    def __init__(self, *, trainable):
        super().__init__()
        self.branch, self.head = nn.Linear(16, 16), nn.Linear(16, 4)
        self.scale = nn.Parameter(torch.zeros(16), requires_grad=trainable)

    def forward(self, x):
        return self.head(x + self.scale * self.branch(x))


def test_a_frozen_zero_blocks_and_a_trainable_one_does_not():
    assert set(no_gradient(lambda: Scaled(trainable=False), x(8, 16))[0]) == {"branch.weight", "branch.bias"}
    assert no_gradient(lambda: Scaled(trainable=True), x(8, 16)) == ({}, [])
