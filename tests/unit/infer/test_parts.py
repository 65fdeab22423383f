"""The mechanisms that a parameter can be a part of."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.infer.evidence import evidence


class StateSpace(nn.Module):
    def __init__(self, spell=F.softplus, decay=lambda a, dt: torch.exp(-torch.exp(a) * dt)):
        super().__init__()
        self.spell, self.decay = spell, decay
        self.up, self.step, self.down = nn.Linear(8, 8), nn.Linear(8, 8, bias=False), nn.Linear(8, 2)
        self.dt_bias = nn.Parameter(torch.full((8,), -4.0))
        self.a = nn.Parameter(torch.arange(1.0, 5).log().repeat(8, 1))

    def forward(self, x):
        dt = self.spell(self.step(x) + self.dt_bias).unsqueeze(-1)
        kept = self.decay(self.a, dt)
        state, u = torch.zeros(x.shape[0], 8, 4), self.up(x)
        for t in range(x.shape[1]):
            state = kept[:, t] * state + (dt * u.unsqueeze(-1))[:, t]
        return self.down(state.sum(-1))


@pytest.mark.parametrize("spell", [F.softplus, lambda z: (1 + z.exp()).log(), lambda z: F.softplus(z).clamp(1e-4, 10)])
def test_state_decay_and_its_step(spell):
    found = evidence(StateSpace(spell), torch.randn(4, 5, 8))
    assert (found.layer("a").part, found.layer("a").partner) == ("state_decay", "dt_bias")


@pytest.mark.parametrize(
    ("spell", "decay"),
    [
        (torch.sigmoid, lambda a, dt: torch.exp(-torch.exp(a) * dt)),
        (F.softplus, lambda a, dt: torch.exp(torch.exp(a) * dt)),
        (F.softplus, lambda a, dt: torch.exp(-a * dt)),
        (F.softplus, lambda a, dt: -torch.exp(a) * dt),
    ],
)
def test_other_recurrences_are_none(spell, decay):
    assert evidence(StateSpace(spell, decay), torch.randn(4, 5, 8)).layer("a").part == ""


class Routed(nn.Module):
    def __init__(self, score):
        super().__init__()
        self.score = score
        self.router = nn.Linear(8, 4)
        self.experts = nn.ModuleList(nn.Linear(8, 8) for _ in range(4))

    def forward(self, x):
        return self.score(self, x, self.router(x))


def sparse(m, x, scores):
    top, index = scores.softmax(-1).topk(2, -1)
    chosen = torch.stack([expert(x) for expert in m.experts], -2)
    return (chosen.gather(-2, index.unsqueeze(-1).expand(-1, -1, 8)) * top.unsqueeze(-1)).sum(-2)


def soft(m, x, scores):
    weights = scores.softmax(-1)
    return sum(weights[:, i : i + 1] * expert(x) for i, expert in enumerate(m.experts))


def pooled(m, x, scores):
    weights = scores.softmax(0)
    return sum(weights[:, i : i + 1] * expert(x) for i, expert in enumerate(m.experts))


@pytest.mark.parametrize("score", [sparse, soft])
def test_router(score):
    assert evidence(Routed(score), torch.randn(16, 8)).layer("router.weight").part == "router"


def test_a_classifier_and_a_gate_are_no_routers():
    for score in (
        lambda m, x, s: s.softmax(-1),
        lambda m, x, s: m.experts[0](x)[:, :4] * s.softmax(-1),
        lambda m, x, s: s.topk(3, 0)[0],
        pooled,
    ):
        assert evidence(Routed(score), torch.randn(16, 8)).layer("router.weight").part == ""


class LowRank(nn.Module):
    def __init__(self, rank=2, between=nn.Identity):
        super().__init__()
        self.base = nn.Linear(8, 8)
        self.down, self.between, self.up = nn.Linear(8, rank, bias=False), between(), nn.Linear(rank, 8, bias=False)

    def forward(self, x):
        return torch.relu(self.base(x) + 0.5 * self.up(self.between(self.down(F.dropout(x, 0.1)))))


def test_low_rank_branch():
    found = evidence(LowRank(), torch.randn(16, 8))
    assert (found.layer("up.weight").part, found.layer("up.weight").partner) == ("low_rank_up", "base.weight")
    assert (found.layer("down.weight").part, found.layer("down.weight").partner) == ("low_rank_down", "up.weight")


@pytest.mark.parametrize("model", [LowRank(8), LowRank(2, nn.ReLU)])
def test_other_branches_are_not_low_rank(model):
    assert evidence(model, torch.randn(16, 8)).layer("up.weight").part == ""


class Contrast(nn.Module):
    def __init__(self, score):
        super().__init__()
        self.left, self.right, self.score = nn.Linear(8, 8), nn.Linear(8, 8), score
        self.scale = nn.Parameter(torch.tensor([2.0]))

    def forward(self, x):
        return self.score(self, F.normalize(self.left(x)), F.normalize(self.right(x)))


@pytest.mark.parametrize(
    ("score", "part"),
    [
        (lambda m, a, b: m.scale * a @ b.T, "logit_scale"),
        (lambda m, a, b: a @ b.T / m.scale, "logit_scale"),
        (lambda m, a, b: (a @ b.T * m.scale.exp()).softmax(-1) @ a, "score_scale"),
        (lambda m, a, b: F.scaled_dot_product_attention(a * m.scale, b, b), "score_scale"),
        (lambda m, a, b: a * m.scale + b, ""),
        (lambda m, a, b: torch.tanh(a @ b.T * m.scale), ""),
    ],
)
def test_logit_scales(score, part):
    assert evidence(Contrast(score), torch.randn(16, 8)).layer("scale").part == part


class Steps(nn.Module):
    """h = phi(W x + U h), or something like it."""

    def __init__(self, step):
        super().__init__()
        self.w, self.u, self.norm, self.head, self.step = nn.Linear(8, 8), nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 2), step

    def forward(self, x):
        h = torch.zeros(x.shape[0], 8)
        for t in range(x.shape[1]):
            h = self.step(self, x[:, t], h)
        return self.head(h)


@pytest.mark.parametrize(
    ("step", "part"),
    [
        (lambda m, x, h: torch.tanh(m.w(x) + m.u(h)), "recurrent_matrix"),
        (lambda m, x, h: torch.relu(m.u(h) + x), "recurrent_matrix"),
        (lambda m, x, h: h + torch.tanh(m.w(x) + m.u(h)), ""),
        (lambda m, x, h: torch.tanh(m.u(h)), ""),
        (lambda m, x, h: m.norm(torch.tanh(m.w(x) + m.u(h))), ""),
        (lambda m, x, h: torch.tanh(m.w(torch.relu(m.u(h) + x))), ""),
    ],
)
def test_recurrences_written_out(step, part):
    assert evidence(Steps(step), torch.randn(4, 5, 8)).layer("u.weight").part == part
