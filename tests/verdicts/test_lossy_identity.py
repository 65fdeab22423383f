"""When an identity of a weight that is not square is worth a word."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import initcheck


def found(factory, *inputs):
    report = initcheck.check(factory, *(inputs or (torch.randn(32, 16, generator=torch.Generator().manual_seed(1)),)))
    assert not report.all_failures
    return [finding for finding in report.findings if finding.code == "IC308"], report


def eye(inputs, outputs, *between, bias=0.0):
    def model():
        layer = nn.Linear(inputs, outputs)
        nn.init.eye_(layer.weight)
        nn.init.constant_(layer.bias, bias)
        return nn.Sequential(layer, *(part() for part in between), nn.Linear(outputs, 4))

    return model


def dirac(inputs, outputs, *, groups=1, call_groups=1):
    def model():
        conv = nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups, bias=False)
        nn.init.dirac_(conv.weight, groups=call_groups)
        return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(outputs, 4))

    return model


IMAGES = torch.randn(8, 8, 6, 6, generator=torch.Generator().manual_seed(1))


def test_fewer_outputs_than_inputs():
    (finding,), _ = found(eye(16, 10, nn.Tanh))
    assert finding.severity == "warning"
    assert "6 do not reach" in finding.message


def test_more_outputs_than_inputs_before_a_rectifier():
    (finding,), report = found(eye(16, 48, nn.ReLU))
    assert (finding.severity, finding.parameters) == ("warning", ("0.weight",))
    assert "32 are zero and stay so" in finding.message
    assert report.at_least("warning") == (finding,)


def test_they_stay_zero_indeed():
    model = eye(16, 48, nn.ReLU)()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(20):
        optimizer.zero_grad()
        F.cross_entropy(model(torch.randn(64, 16)), torch.randint(4, (64,))).backward()
        optimizer.step()
    assert not model[0].weight[16:].any()
    assert not model[0].bias[16:].any()


@pytest.mark.parametrize(
    "factory",
    [eye(16, 48, nn.Tanh), eye(16, 48, nn.GELU), eye(16, 48, nn.ReLU, bias=0.1), eye(16, 16, nn.ReLU)],
    ids=["tanh", "gelu", "bias", "square"],
)
def test_nothing_is_lost(factory):
    assert found(factory)[0] == []


def test_dirac_with_more_outputs_behind_a_normalization():
    (finding,), _ = found(dirac(8, 24), IMAGES)
    assert "16 are zero and stay so" in finding.message


def test_dirac_of_a_depthwise_convolution_without_its_groups():
    (finding,), _ = found(dirac(8, 8, groups=8), IMAGES)
    assert "7 do not reach" in finding.message


@pytest.mark.parametrize("factory", [dirac(8, 8), dirac(8, 8, groups=8, call_groups=8), dirac(8, 16, groups=2, call_groups=4)])
def test_dirac_that_keeps_every_channel(factory):
    assert found(factory, IMAGES)[0] == []


class Shortcut(nn.Module):
    """A residual block whose shortcut changes the width by an identity."""

    def __init__(self):
        super().__init__()
        self.stem, self.branch = nn.Linear(16, 16), nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32))
        self.shortcut, self.head = nn.Linear(16, 32, bias=False), nn.Linear(32, 4)
        nn.init.eye_(self.shortcut.weight)

    def forward(self, x):
        x = self.stem(x)
        return self.head(torch.relu(self.shortcut(x) + self.branch(x)))


def test_a_shortcut_projection_is_silent():
    assert found(Shortcut)[0] == []


class Parts(nn.Module):
    """Two weights that read the same input."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.head = nn.Linear(16, 8), nn.Linear(16, 8), nn.Linear(8, 4)
        nn.init.eye_(self.left.weight)

    def forward(self, x):
        return self.head(torch.tanh(self.left(x)) * torch.sigmoid(self.right(x)))


def test_another_reader_of_the_same_input():
    assert all(finding.severity == "info" for finding in found(Parts)[0])


def test_a_frozen_selection_is_silent():
    def model():
        net = eye(16, 10, nn.Tanh)()
        net[0].requires_grad_(False)
        return net

    assert found(model)[0] == []


class Product(nn.Module):
    """A matrix stored the other way round, (inputs, outputs)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight, self.head = nn.Parameter(nn.init.eye_(torch.empty(inputs, outputs))), nn.Linear(outputs, 4)

    def forward(self, x):
        return self.head(torch.relu(x @ self.weight))


@pytest.mark.parametrize(("outputs", "message"), [(40, "24 are zero and stay so"), (10, "6 do not reach")])
def test_a_transposed_matrix(outputs, message):
    (finding,), _ = found(lambda: Product(16, outputs))
    assert message in finding.message
