"""The measured signal of whole networks: what an expert says of each start."""

import pytest
import torch
from torch import nn

import initcheck
from tests.verdicts.builders import PreNorm, Residual, default, he, linears, mlp, normal, xavier
from tests.verdicts.verdict import NOTHING, SILENT, judge, says


def tokens(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("init", [he(), normal(0.3), normal(1.0)], ids=["he", "0.3", "1"])
def test_post_norm_at_large_scale(init):
    report = judge(lambda: PreNorm(12, 64, init, post=True), says("warning"), tokens(8, 8, 64))
    assert report.at_least("warning")[0].name in ("residual-growth", "weight-too-large")
    assert len(report.at_least("warning")) == 1


@pytest.mark.parametrize("init", [xavier(), normal(0.02), default], ids=["xavier", "0.02", "default"])
def test_post_norm_at_an_ordinary_scale(init):
    judge(lambda: PreNorm(12, 64, init, post=True), SILENT, tokens(8, 8, 64))


def test_unit_normal_in_a_pre_norm_transformer_is_one_finding():
    report = judge(lambda: PreNorm(12, 64, normal(1.0)), says("warning", by="weight-too-large"), tokens(8, 8, 64))
    assert len(report.at_least("warning")) == 1


@pytest.mark.parametrize(("depth", "expected"), [(12, SILENT), (48, says("info", at="blocks.0.down.weight", by="residual-growth"))])
def test_pre_norm_stack_at_full_scale(depth, expected):
    judge(lambda: PreNorm(depth, 64, he(nonlinearity="linear")), expected, tokens(8, 8, 64))


def scaled_down(depth):
    def build():
        model = PreNorm(depth, 64, he(nonlinearity="linear"))
        with torch.no_grad():
            for block in model.blocks:
                block["proj"].weight.div_((2 * depth) ** 0.5)
                block["down"].weight.div_((2 * depth) ** 0.5)
        return model

    return build


def test_pre_norm_stack_with_scaled_branches():
    report = judge(scaled_down(48), SILENT, tokens(8, 8, 64))
    assert "residual-growth" not in {finding.name for finding in report.findings}


@pytest.mark.parametrize("blocks", [8, 16])
def test_default_residual_net_without_norm(blocks):
    def build():
        branches = [Residual(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))) for _ in range(blocks)]
        return nn.Sequential(nn.Linear(64, 64), *branches, nn.Linear(64, 10))

    judge(build, NOTHING, tokens(32, 64))


class Attending(nn.Module):
    """One attention, fused or written out, with queries and keys drawn by `init`."""

    def __init__(self, init, *, fused=True, bias=None, width=64):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.head = nn.Linear(width, 10)
        self.fused = fused
        if bias is not None:
            self.register_buffer("bias", bias)
        for layer in (self.query, self.key):
            init(layer)

    def forward(self, x):
        q, k, v = (part(x).unflatten(-1, (4, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        if self.fused:
            mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
            if hasattr(self, "bias"):
                scores = scores + self.bias
            mixed = torch.softmax(scores, -1) @ v
        return self.head((x + mixed.transpose(1, 2).flatten(2)).mean(1))


@pytest.mark.parametrize("fused", [True, False])
def test_attention_logits_too_large(fused):
    said = says("warning", at="query.weight", by="attention-logits-too-large")
    judge(lambda: Attending(normal(0.4), fused=fused), said, tokens(16, 12, 64))


@pytest.mark.parametrize("fused", [True, False])
def test_xavier_attention(fused):
    judge(lambda: Attending(xavier(), fused=fused), SILENT, tokens(16, 12, 64))


def test_position_biases_are_not_content_logits():
    distance = (torch.arange(12)[:, None] - torch.arange(12)).abs()
    judge(lambda: Attending(xavier(), fused=False, bias=-4.0 * distance), SILENT, tokens(16, 12, 64))
    causal = torch.full((12, 12), -torch.inf).triu(1)
    judge(lambda: Attending(xavier(), fused=False, bias=causal), SILENT, tokens(16, 12, 64))


def test_zero_queries_and_keys_are_one_error():
    def both(layer):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)

    report = judge(lambda: Attending(both), says("error", at="query.weight"), tokens(16, 12, 64))
    assert len(report.at_least("warning")) == 1


def test_zero_queries_alone_are_fine():
    def build():
        model = Attending(xavier())
        nn.init.zeros_(model.query.weight)
        nn.init.zeros_(model.query.bias)
        return model

    judge(build, SILENT, tokens(16, 12, 64))


def test_one_large_residual_block_is_no_growth():
    def build():
        branches = [Residual(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))) for _ in range(6)]
        model = nn.Sequential(nn.Linear(64, 64), *branches, nn.LayerNorm(64), nn.Linear(64, 10))
        with torch.no_grad():
            linears(model)[2].weight.mul_(8)
        return model

    report = judge(build, SILENT, tokens(32, 64))
    assert "residual-growth" not in {finding.name for finding in report.findings}


@pytest.mark.parametrize("std", [3.0, 5.0])
def test_biases_that_drown_the_input(std):
    said = says("warning", "error", at="6.weight", by="correlated-outputs")
    judge(mlp(8, init=he(), bias=lambda bias: nn.init.normal_(bias, std=std), head=default), said, tokens(32, 64))


@pytest.mark.parametrize("layers", [8, 20, 50])
def test_alike_inputs_through_a_healthy_network(layers):
    report = judge(mlp(layers, init=he(), width=128), SILENT, 1.0 + 0.3 * tokens(32, 64))
    assert "correlated-outputs" not in {finding.name for finding in report.findings}


def test_a_dying_chain_is_one_finding_with_its_symptoms():
    report = judge(mlp(8), says("error"), tokens(32, 64))
    assert len(report.at_least("warning")) == 1
    assert any("differs between samples" in symptom for finding in report.findings for symptom in finding.symptoms)


class Squeeze(nn.Module):
    """Squeeze and excitation with few units over features that are alike: chance may silence all of them."""

    def __init__(self, units):
        super().__init__()
        self.down, self.up, self.head = nn.Linear(64, units), nn.Linear(units, 64), nn.Linear(64, 10)
        nn.init.constant_(self.down.bias, -50.0)

    def forward(self, x):
        return self.head(x * torch.sigmoid(self.up(torch.relu(self.down(x)))))


@pytest.mark.parametrize(("units", "fires"), [(8, False), (32, True)])
def test_few_silent_units_may_be_chance(units, fires):
    report = initcheck.check(lambda: Squeeze(units), tokens(32, 64))
    told = [finding.message for finding in report.findings] + [text for finding in report.findings for text in finding.symptoms]
    assert ("all units are off for every input" in told) == fires


def test_a_zero_head_hides_nothing():
    def build():
        model = mlp(12)()
        nn.init.zeros_(model[-1].weight)
        return model

    judge(build, says("error", at="4.weight"), tokens(32, 64))
