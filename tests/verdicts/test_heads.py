"""Embeddings, heads and special parameters: what an expert says of each start."""

import math

import pytest
import torch
from torch import nn

from tests.verdicts.builders import TiedLM, he, mlp
from tests.verdicts.verdict import NOTHING, SILENT, judge, says


def embedding_then_linear(std=1.0, padding=None, wipe=""):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(100, 32, padding_idx=padding)
            nn.init.normal_(self.tokens.weight, std=std)
            with torch.no_grad():
                if wipe == "all":
                    self.tokens.weight.zero_()
                elif padding is not None and wipe != "padding":
                    self.tokens.weight[padding].zero_()
            self.fc = nn.Linear(32, 10)

        def forward(self, ids):
            return self.fc(self.tokens(ids).mean(1))

    return Net


def unit_features(std):
    def build():
        model = nn.Sequential(nn.Linear(64, 512), nn.LayerNorm(512), nn.Linear(512, 10))
        nn.init.normal_(model[2].weight, std=std)
        nn.init.zeros_(model[2].bias)
        return model

    return build


def policy():
    def head(layer):
        nn.init.orthogonal_(layer.weight, 0.01)

    return mlp(3, act=nn.Tanh, init=lambda layer: nn.init.orthogonal_(layer.weight, math.sqrt(2)), head=head)()


class Sine(nn.Module):
    def __init__(self, omega=30.0):
        super().__init__()
        self.omega = omega

    def forward(self, x):
        return torch.sin(self.omega * x)


def siren():
    layers, width = [], 64
    for index in range(5):
        layer = nn.Linear(2 if index == 0 else width, width)
        bound = 1 / 2 if index == 0 else math.sqrt(6 / width) / 30
        nn.init.uniform_(layer.weight, -bound, bound)
        layers += [layer, Sine()]
    head = nn.Linear(width, 1)
    nn.init.uniform_(head.weight, -math.sqrt(6 / width) / 30, math.sqrt(6 / width) / 30)
    return nn.Sequential(*layers, head)


def tokens():
    return torch.randint(1, 100, (32, 6), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("std", [1.0, 0.02])
def test_embedding_untied(std):
    judge(embedding_then_linear(std), NOTHING, tokens())


def test_padding_row_zero():
    judge(embedding_then_linear(1.0, padding=0), NOTHING, tokens())


def test_table_wiped():
    judge(embedding_then_linear(1.0, wipe="all"), says("error", at="tokens.weight", by="embedding-wiped"), tokens())


def test_unit_embedding_tied_to_the_head():
    judge(TiedLM, says("error", at="tokens.weight", by="embedding-scale"), torch.randint(0, 2000, (8, 16)))


def test_small_embedding_tied_to_the_head():
    judge(lambda: TiedLM(0.02), NOTHING, torch.randint(0, 2000, (8, 16)))


def test_head_too_large():
    judge(unit_features(1.0), says("warning", "error", at="2.weight", by="head-too-large"))


@pytest.mark.parametrize("std", [0.01, 1 / 512, 0.0])
def test_small_heads(std):
    judge(unit_features(std), NOTHING)


def test_policy_head():
    judge(policy, NOTHING)


def test_siren():
    judge(siren, SILENT, torch.rand(64, 2) * 2 - 1)


class Vision(nn.Module):
    """Class token, position table and patch embedding before one attention block."""

    def __init__(self, positions, cls):
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 4, 4)
        self.cls = nn.Parameter(torch.full((1, 1, 32), cls))
        self.positions = nn.Parameter(positions)
        self.norm = nn.LayerNorm(32)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.positions
        y = self.norm(x)
        x = x + self.attention(y, y, y)[0]
        return self.head(x[:, 0])


@pytest.mark.parametrize("cls", [0.0, 1e-6])
@pytest.mark.parametrize("std", [0.0, 0.02, 1.0])
def test_position_tables_and_class_tokens(cls, std):
    judge(lambda: Vision(torch.randn(1, 17, 32) * std, cls), SILENT, torch.randn(8, 3, 16, 16))


def test_relative_position_bias_zero():
    class Relative(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(32, 96)
            self.bias = nn.Parameter(torch.zeros(1, 6, 6))
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            q, k, v = self.qkv(x).chunk(3, -1)
            return self.head((torch.softmax(q @ k.transpose(1, 2) / 32**0.5 + self.bias, -1) @ v).mean(1))

    judge(Relative, NOTHING, torch.randn(32, 6, 32))


def test_router_small_normal():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.router = nn.Linear(32, 4, bias=False)
            nn.init.normal_(self.router.weight, std=0.02)
            self.experts = nn.ModuleList(nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)) for _ in range(4))
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            weights = torch.softmax(self.router(x), -1)
            mixed = sum(weights[:, i : i + 1] * expert(x) for i, expert in enumerate(self.experts))
            return self.head(x + mixed)

    judge(Experts, NOTHING, torch.randn(32, 32))


def test_detection_prior():
    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 16, 3, padding=1)
            self.score = nn.Conv2d(16, 8, 3, padding=1)
            nn.init.normal_(self.score.weight, std=0.01)
            nn.init.constant_(self.score.bias, -math.log(99))

        def forward(self, x):
            return self.score(torch.relu(self.conv(x)))

    judge(Detector, NOTHING, torch.randn(8, 3, 16, 16))


def test_padding_row_not_zero():
    judge(embedding_then_linear(1.0, padding=0, wipe="padding"), says("warning", at="tokens.weight", by="padding-row-not-zero"), tokens())


def test_he_network_with_head_bias_is_healthy():
    judge(mlp(3, init=he()), NOTHING)


class Agent(nn.Module):
    """A policy and a value head, on one trunk or on two."""

    def __init__(self, gain, names=("policy", "value"), shared=True):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(8, 64), nn.Tanh())
        self.other = self.trunk if shared else nn.Sequential(nn.Linear(8, 64), nn.Tanh())
        self.names = names
        setattr(self, names[0], nn.Linear(64, 4))
        setattr(self, names[1], nn.Linear(64, 1))
        nn.init.orthogonal_(getattr(self, names[0]).weight, gain)

    def forward(self, x):
        return getattr(self, self.names[0])(self.trunk(x)), getattr(self, self.names[1])(self.other(x))


class Gaussian(nn.Module):
    """A policy of means with a free log standard deviation."""

    def __init__(self, gain):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 3))
        self.log_std = nn.Parameter(torch.full((3,), -0.5))
        nn.init.orthogonal_(self.actor[2].weight, gain)

    def forward(self, x):
        mean = self.actor(x)
        return mean + self.log_std.exp() * torch.randn_like(mean)


AGENTS = [
    ("small", lambda: Agent(0.01), NOTHING),
    ("ordinary", lambda: Agent(1.0), says("info", at="policy.weight", by="policy-head")),
    ("classes-and-a-count", lambda: Agent(1.0, names=("classes", "count")), NOTHING),
    ("two-trunks", lambda: Agent(1.0, shared=False), NOTHING),
    ("gaussian-small", lambda: Gaussian(0.01), NOTHING),
    ("gaussian", lambda: Gaussian(1.0), says("info", at="actor.2.weight", by="policy-head")),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in AGENTS], ids=[row[0] for row in AGENTS])
def test_actor_critic(build, expected):
    judge(build, expected, torch.randn(32, 8))


def zero_head(*, frozen=False, body_frozen=False):
    def build():
        model = mlp(4, init=he())()
        nn.init.zeros_(model[-1].weight)
        model[-1].requires_grad_(not frozen)
        model[:-1].requires_grad_(not body_frozen)
        return model

    return build


ZERO_HEADS = [
    ("trainable", zero_head(), NOTHING),
    ("frozen", zero_head(frozen=True), says("error", at="6.weight", by="zero-head-blocks-gradient")),
    ("all-frozen", zero_head(frozen=True, body_frozen=True), NOTHING),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in ZERO_HEADS], ids=[row[0] for row in ZERO_HEADS])
def test_zero_heads(build, expected):
    judge(build, expected)


class TwoOutputs(nn.Module):
    """A classifier that also returns a wide regression."""

    def __init__(self, std):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.classes, self.values = nn.Linear(64, 10), nn.Linear(64, 1)
        nn.init.normal_(self.values.weight, std=std)

    def forward(self, x):
        x = self.trunk(x)
        return self.classes(x), self.values(x)


def test_a_single_unit_is_no_logit():
    judge(lambda: TwoOutputs(5.0), NOTHING, torch.randn(32, 64))


@pytest.mark.parametrize("act", [nn.Tanh, nn.LayerNorm])
def test_a_bounded_output_is_no_logit(act):
    def build():
        model = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.Linear(64, 10), act(10) if act is nn.LayerNorm else act())
        nn.init.normal_(model[2].weight)
        return model

    judge(build, SILENT)
