"""Chains: which weights follow each other, and by how much the signal changes between them."""

import math

import pytest
import torch
from torch import nn

from tests.unit.infer.evidence import evidence, seeded
from tests.unit.infer.test_dataflow_branches import net


def mlp(*sizes, scale=1.0):
    layers = []
    for before, after in zip(sizes, sizes[1:]):
        layer = nn.Linear(before, after)
        nn.init.normal_(layer.weight, 0, scale * math.sqrt(2 / before))
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def names(found):
    return [chain.weights for chain in found.chains]


def test_hidden_layers_without_the_head():
    found = evidence(seeded(lambda: mlp(32, 256, 256, 256, 4, scale=0.5)), torch.randn(64, 32))
    assert names(found) == [("0.weight", "2.weight", "4.weight")]
    (chain,) = found.chains
    for hop in chain.hops:
        assert hop.forward.get() == pytest.approx(math.log(0.25), abs=0.35)
        assert hop.backward.get() == pytest.approx(math.log(0.25), abs=0.35)
        assert (hop.padding, hop.width) == (0, 256)
    assert 0 < chain.sample_fraction.get() < 1
    assert not chain.batch_norm


def test_padding_is_no_loss():
    def build():
        layers = [nn.Conv2d(64, 64, 3, padding=1, bias=False) for _ in range(4)]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        return nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())], nn.Flatten(), nn.Linear(64 * 36, 2))

    (chain,) = evidence(seeded(build), torch.randn(16, 64, 6, 6)).chains
    assert chain.weights == tuple(f"{index}.weight" for index in (0, 2, 4, 6))
    assert all(hop.padding == pytest.approx(2 * math.log((4 * 3 + 2 * 2) / 18)) for hop in chain.hops)
    assert abs(sum(hop.forward.get() for hop in chain.hops)) < 0.6
    assert abs(sum(hop.backward.get() for hop in chain.hops)) < 0.6


def test_norms_and_shortcuts_cut():
    normed = nn.Sequential(
        nn.Linear(8, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)
    )
    assert names(evidence(normed, torch.randn(8, 8))) == [("3.weight", "5.weight")]

    def body(m, x):
        x = m.stem(x)
        return m.head(x + m.b(torch.relu(m.a(x))))

    residual = net(body, stem=(8, 8), a=(8, 8), b=(8, 8), head=(8, 2))()
    assert names(evidence(residual, torch.randn(8, 8))) == [("a.weight", "b.weight")]


def test_a_value_that_also_gates_starts_no_chain():
    def body(m, x):
        h = torch.relu(m.a(x))
        return m.out(h * torch.sigmoid(m.c(torch.relu(m.b(h)))))

    found = evidence(net(body, a=(8, 8), b=(8, 8), c=(8, 8), out=(8, 2))(), torch.randn(8, 8))
    assert names(found) == [("b.weight", "c.weight")]


def test_batch_norm_behind_is_told():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    (chain,) = evidence(model, torch.randn(8, 8)).chains
    assert chain.weights == ("0.weight", "2.weight")
    assert chain.batch_norm


def test_unknown_gradients_stay_unknown():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.back, self.head = mlp(8, 8, 8, 8), nn.Linear(8, 2)

        def forward(self, x):
            with torch.no_grad():
                features = self.back(x)
            return self.head(torch.relu(features))

    (chain,) = evidence(Frozen(), torch.randn(8, 8)).chains
    assert all(hop.forward.known() and not hop.backward.known() for hop in chain.hops)
