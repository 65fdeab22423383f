"""Special parameters: state spaces, routers, temperatures, position tables, low-rank branches."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.verdicts.verdict import NOTHING, SILENT, judge, says


def seeded(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


class Mamba(nn.Module):
    """The selective scan, written out."""

    def __init__(self, rates, steps, width=16, states=8):
        super().__init__()
        self.inputs, self.outputs = nn.Linear(width, 2 * width, bias=False), nn.Linear(width, width, bias=False)
        self.select, self.step = nn.Linear(width, 2 + 2 * states, bias=False), nn.Linear(2, width)
        self.A_log, self.D = nn.Parameter(rates(width, states)), nn.Parameter(torch.ones(width))
        nn.init.uniform_(self.step.weight, -(2**-0.5), 2**-0.5)
        with torch.no_grad():
            self.step.bias.copy_(steps(width))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 4)

    def forward(self, x):
        u, gate = self.inputs(self.norm(x)).chunk(2, -1)
        u = F.silu(u)
        dt, b, c = self.select(u).split([2, 8, 8], -1)
        dt = F.softplus(self.step(dt))
        kept = torch.exp(dt.unsqueeze(-1) * -torch.exp(self.A_log))
        added = (dt * u).unsqueeze(-1) * b.unsqueeze(-2)
        state, made = torch.zeros_like(added[:, 0]), []
        for t in range(x.shape[1]):
            state = kept[:, t] * state + added[:, t]
            made.append((state * c[:, t].unsqueeze(-2)).sum(-1))
        y = torch.stack(made, 1) + u * self.D
        return self.head(x + self.outputs(y * F.silu(gate)))


def ramp(width, states):
    return torch.arange(1.0, states + 1).log().repeat(width, 1)


def zero(*shape):
    return torch.zeros(*shape)


def steps(width):
    dt = torch.exp(torch.linspace(math.log(1e-3), math.log(1e-1), width))
    return dt + torch.log(-torch.expm1(-dt))


@pytest.mark.parametrize(
    ("rates", "bias", "expected"),
    [
        (ramp, steps, NOTHING),
        (zero, zero, says("warning", at="A_log", by="state-space-parameter")),
        (ramp, zero, says("warning", at="step.bias", by="state-space-parameter")),
        (zero, steps, says("info", at="A_log", by="state-space-parameter")),
        (lambda *shape: seeded(*shape), steps, NOTHING),
    ],
    ids=["mamba", "both-zero", "step-zero", "rates-zero", "rates-random"],
)
def test_state_space(rates, bias, expected):
    judge(lambda: Mamba(rates, bias), expected, seeded(16, 6, 16))


class Experts(nn.Module):
    def __init__(self, edit):
        super().__init__()
        self.router = nn.Linear(32, 4, bias=False)
        with torch.no_grad():
            edit(self.router.weight)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)) for _ in range(4))
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        weights, chosen = self.router(x).softmax(-1).topk(2, -1)
        made = torch.stack([expert(x) for expert in self.experts], 1)
        return self.head(x + (made.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 32)) * weights.unsqueeze(-1)).sum(1))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda w: w.normal_(0, 0.02), NOTHING),
        (lambda w: w.copy_(torch.randn(32).expand(4, 32) / 6), says("warning", at="router.weight", by="router-collapse")),
        (lambda w: w.fill_(0.1), says("warning", at="router.weight", by="router-collapse")),
        (lambda w: w.zero_(), says("info", at="router.weight", by="router-collapse")),
    ],
    ids=["normal", "equal-rows", "constant", "zero"],
)
def test_router(edit, expected):
    judge(lambda: Experts(edit), expected, seeded(32, 32))


class Contrast(nn.Module):
    """Cosine similarities of two views, times a learned scale."""

    def __init__(self, scale, use=torch.exp, bias=0.0, width=64):
        super().__init__()
        self.left, self.right, self.use = nn.Linear(32, width), nn.Linear(32, width), use
        self.scale, self.bias = nn.Parameter(torch.tensor(scale)), nn.Parameter(torch.tensor(bias))

    def forward(self, x):
        left, right = F.normalize(self.left(x), dim=-1), F.normalize(self.right(x.flip(-1)), dim=-1)
        return left @ right.T * self.use(self.scale) + self.bias


def divided(w):
    return 1 / w


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Contrast(math.log(1 / 0.07)), NOTHING),
        (lambda: Contrast(math.log(10.0), bias=-10.0), NOTHING),
        (lambda: Contrast(0.07, divided), NOTHING),
        (lambda: Contrast(14.3, torch.abs), NOTHING),
        (lambda: Contrast(6.0), says("warning", "error", at="scale", by="logit-scale")),
        (lambda: Contrast(0.0, divided), says("error", at="scale", by="logit-scale")),
    ],
    ids=["clip", "siglip", "temperature", "linear", "huge", "temperature-0"],
)
def test_logit_scale(build, expected):
    judge(build, expected, seeded(32, 32))


class Sharpened(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.qkv, self.head, self.scale = nn.Linear(32, 96), nn.Linear(32, 10), nn.Parameter(torch.tensor([scale]))

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(1, 2) * self.scale
        return self.head((scores.softmax(-1) @ v).mean(1))


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (10.0, NOTHING),
        (0.0, SILENT),
        (200.0, says("warning", at="scale", by="logit-scale")),
        (-10.0, says("warning", at="scale", by="logit-scale")),
    ],
)
def test_attention_temperature(scale, expected):
    judge(lambda: Sharpened(scale), expected, seeded(32, 6, 32))


class Positions(nn.Module):
    def __init__(self, tokens, positions, lookup):
        super().__init__()
        self.tokens = nn.Embedding(100, 64)
        nn.init.normal_(self.tokens.weight, std=tokens)
        self.positions = nn.Embedding(16, 64) if lookup else nn.Parameter(torch.zeros(1, 12, 64))
        nn.init.normal_(self.positions.weight if lookup else self.positions, std=positions)
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 10)

    def forward(self, ids):
        table = self.positions(torch.arange(ids.shape[1])) if isinstance(self.positions, nn.Embedding) else self.positions
        return self.head(self.norm(self.tokens(ids) + table))


@pytest.mark.parametrize("lookup", [True, False])
@pytest.mark.parametrize(
    ("tokens", "positions", "level"),
    [
        (0.02, 0.02, "nothing"),
        (1.0, 1.0, "nothing"),
        (1.0, 0.0, "nothing"),
        (0.1, 0.4, "nothing"),
        (0.1, 0.8, "info"),
        (0.02, 1.0, "warning"),
    ],
)
def test_position_tables(tokens, positions, level, lookup):
    name = "positions.weight" if lookup else "positions"
    expected = NOTHING if level == "nothing" else says(level, at=name, by="position-scale")
    judge(lambda: Positions(tokens, positions, lookup), expected, torch.randint(0, 100, (16, 12)))


def test_zero_position_table():
    judge(lambda: Positions(1.0, 0.0, lookup=False), NOTHING, torch.randint(0, 100, (16, 12)))


class Relative(nn.Module):
    def __init__(self, fill, fused=False):
        super().__init__()
        self.qkv, self.head, self.fused = nn.Linear(32, 96), nn.Linear(32, 10), fused
        self.table = nn.Parameter(torch.zeros(11))
        with torch.no_grad():
            fill(self.table)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        index = torch.arange(6)
        bias = self.table[index.view(6, 1) - index + 5]
        if self.fused:
            return self.head(F.scaled_dot_product_attention(q, k, v, bias).mean(1))
        return self.head((torch.softmax(q @ k.transpose(1, 2) / 32**0.5 + bias, -1) @ v).mean(1))


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (lambda w: w.zero_(), NOTHING),
        (lambda w: w.normal_(0, 0.02), NOTHING),
        (lambda w: w.normal_(0, 1.0), NOTHING),
        (lambda w: w.fill_(-100.0), NOTHING),
        (lambda w: w.copy_(torch.linspace(-20, 20, 11)), says("warning", at="table", by="relative-position-not-small")),
    ],
    ids=["zero", "small", "unit", "constant", "large"],
)
def test_relative_position_tables(fill, expected, fused):
    judge(lambda: Relative(fill, fused), expected, seeded(32, 6, 32))


class LoRA(nn.Module):
    def __init__(self, frozen, edit):
        super().__init__()
        self.base, self.down, self.up = nn.Linear(64, 64), nn.Linear(64, 4, bias=False), nn.Linear(4, 64, bias=False)
        self.base.requires_grad_(not frozen)
        edit(self)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(torch.tanh(self.base(x) + self.up(self.down(x))))


def random_factors(model):
    nn.init.normal_(model.up.weight, std=0.5)


def principal(model):
    with torch.no_grad():
        u, s, v = torch.linalg.svd(model.base.weight)
        model.up.weight.copy_(u[:, :4] * s[:4])
        model.down.weight.copy_(v[:4])
        model.base.weight.sub_(model.up.weight @ model.down.weight)


@pytest.mark.parametrize(
    ("frozen", "edit", "expected"),
    [
        (True, lambda model: nn.init.zeros_(model.up.weight), NOTHING),
        (True, random_factors, says("warning", at="up.weight", by="residual-gate")),
        (False, random_factors, SILENT),
        (True, principal, SILENT),
    ],
    ids=["zero", "random", "from-scratch", "principal"],
)
def test_low_rank_branch(frozen, edit, expected):
    judge(lambda: LoRA(frozen, edit), expected, seeded(32, 64))


class Scaled(nn.Module):
    def __init__(self, value, shortcut):
        super().__init__()
        self.stem, self.scale, self.shortcut = nn.Linear(32, 32), nn.Parameter(torch.full((32,), value)), shortcut
        self.mix, self.head = nn.Linear(32, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.mix(torch.tanh(x)) * self.scale
        return self.head(torch.tanh(x + y if self.shortcut else y))


@pytest.mark.parametrize(
    ("value", "shortcut", "expected"),
    [
        (0.0, True, NOTHING),
        (1e-5, True, NOTHING),
        (1.0, False, NOTHING),
        (0.0, False, says("warning", "error", at="scale", by="residual-gate")),
    ],
)
def test_zero_scale(value, shortcut, expected):
    judge(lambda: Scaled(value, shortcut), expected, seeded(32, 32))
