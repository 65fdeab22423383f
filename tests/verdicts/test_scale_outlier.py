"""When one block's scale is worth a word: not for schedules, roles, ends and chance."""

import pytest
import torch
from torch import nn

import initcheck
from tests.verdicts.builders import PreNorm, Residual, he, linears, mlp, normal, scale_layer


def report_of(factory, inputs=None):
    report = initcheck.check(factory, inputs)
    assert not report.all_failures
    return report


def outliers(report):
    return [finding for finding in report.findings if finding.code == "IC208"]


def normed(edit=None, depth=8, width=64):
    def model():
        net = nn.Sequential(
            *[nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU()) for _ in range(depth)], nn.Linear(width, 4)
        )
        if edit is not None:
            with torch.no_grad():
                edit(net)
        return net

    return model


def times(index, factor):
    return lambda net: net[index][0].weight.mul_(factor)


X = torch.randn(32, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("factor", "way"), [(10.0, "larger"), (0.1, "smaller")])
def test_one_block_behind_a_normalization(factor, way):
    report = report_of(normed(times(3, factor)), X)
    (finding,) = outliers(report)
    assert (finding.severity, finding.parameters) == ("info", ("3.0.weight",))
    assert f"times {way} than that of its 7 siblings" in finding.message
    assert finding.fix.call is not None


@pytest.mark.parametrize(
    "factory",
    [
        normed(),
        normed(times(3, 3.0)),
        normed(times(0, 10.0)),
        normed(times(7, 10.0)),
        normed(lambda net: [net[i][0].weight.mul_(3.0**i) for i in range(8)]),
        normed(lambda net: [net[i][0].weight.mul_(10.0) for i in (2, 4, 6)]),
        normed(times(1, 10.0), depth=3),
        normed(lambda net: net[3][0].weight.zero_()),
    ],
    ids=["healthy", "three-times", "first", "last", "schedule", "every-other", "few", "zero"],
)
def test_silent(factory):
    assert outliers(report_of(factory, X)) == []


def test_a_frozen_block_is_silent():
    def edit(net):
        net[3][0].weight.mul_(10.0)
        net[3].requires_grad_(False)

    assert outliers(report_of(normed(edit), X)) == []


def test_the_signal_speaks_for_an_unnormalized_chain():
    report = report_of(mlp(8, init=he(), edit=scale_layer(3, 100.0)))
    (finding,) = report.at_least("warning")
    assert finding.code == "IC202"
    assert any("siblings" in told for told in finding.symptoms)
    assert outliers(report) == []


def test_one_shrunken_layer_is_an_info():
    report = report_of(mlp(8, init=he(), edit=scale_layer(3, 0.01)))
    assert report.at_least("warning") == ()
    assert [finding.severity for finding in outliers(report)] == ["info"]


def branches(factor):
    def model():
        parts = [Residual(nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64))) for _ in range(8)]
        for layer in linears(nn.Sequential(*parts)):
            nn.init.xavier_normal_(layer.weight, gain=0.3)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            parts[4].branch[2].weight.mul_(factor)
        return nn.Sequential(*parts, nn.LayerNorm(64), nn.Linear(64, 4))

    return model


def test_a_weight_that_is_too_large_for_its_branch_is_one_finding():
    report = report_of(branches(60.0), X)
    (finding,) = report.at_least("warning")
    assert finding.parameters == ("4.branch.2.weight",)
    assert outliers(report) == []


def test_one_that_is_not_is_an_info():
    report = report_of(branches(5.0), X)
    assert report.at_least("warning") == ()
    assert [finding.severity for finding in outliers(report)] == ["info"]


def test_scaled_residual_projections_are_silent():
    def model():
        net = PreNorm(6, 64, normal(0.02))
        with torch.no_grad():
            for index, block in enumerate(net.blocks):
                block["down"].weight.div_((2 * (index + 1)) ** 0.5)
                block["proj"].weight.div_((2 * (index + 1)) ** 0.5)
        return net

    assert outliers(report_of(model, torch.randn(8, 6, 64))) == []
