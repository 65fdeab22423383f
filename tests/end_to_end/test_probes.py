"""Eight faults that other tools miss or misname, and two healthy models: the cause must be named, the healthy ones left alone."""

import pytest
import torch
from torch import nn

import initcheck


def xavier_under_relu():
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    nn.init.xavier_uniform_(model[0].weight)
    return model


def all_zero_linear():
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    nn.init.zeros_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    return model


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


def deep_default():
    return nn.Sequential(*[part for _ in range(19) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 10))


def bias_five():
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    nn.init.constant_(model[0].bias, 5.0)
    return model


def encoder():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)


class Unwritten(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Parameter(torch.empty(16, 16))
        self.scale = nn.Parameter(torch.empty(16))

    def forward(self, x):
        return (x @ self.proj) * self.scale


def clean():
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    nn.init.kaiming_normal_(model[0].weight, nonlinearity="relu")
    nn.init.zeros_(model[0].bias)
    return model


PROBES = [
    ("a", xavier_under_relu, (32, 784), "scheme-nonlinearity-mismatch", "0.weight"),
    ("b", all_zero_linear, (32, 64), "zero-weight", "2.weight"),
    ("c", Tagger, (32, 8, 16), "non-orthogonal-recurrent", "lstm.weight_hh_l0"),
    ("d", deep_default, (32, 64), "default-under-depth", "4.weight"),
    ("e", bias_five, (32, 64), "large-bias", "0.bias"),
    ("g", encoder, (8, 6, 32), "cloned-layers", "layers.1.linear1.weight"),
    ("i", Unwritten, (32, 16), "never-written", "proj"),
]


@pytest.mark.parametrize(("build", "shape", "rule", "parameter"), [probe[1:] for probe in PROBES], ids=[probe[0] for probe in PROBES])
def test_the_cause_is_named(build, shape, rule, parameter):
    report = initcheck.check(build, torch.randn(*shape, generator=torch.Generator().manual_seed(0)))
    assert not report.all_failures
    loud = report.at_least("warning")
    assert {finding.name for finding in loud} == {rule}, loud
    assert parameter in {name for finding in loud for name in finding.parameters}


def test_a_clean_control_is_silent():
    assert not initcheck.check(clean, torch.randn(32, 784)).findings


def test_a_random_resnet18_is_silent():
    torchvision = pytest.importorskip("torchvision")
    report = initcheck.check(lambda: torchvision.models.resnet18(weights=None))
    assert report.ok
    assert not report.at_least("warning")
