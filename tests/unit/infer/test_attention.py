import pytest
import torch
from torch import nn

from tests.unit.infer.evidence import evidence, seeded


def x(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


class Written(nn.Module):
    """Attention written out: `logits` makes the softmax input of query and key."""

    def __init__(self, logits):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(32, 32) for _ in range(3))
        self.bias = nn.Parameter(torch.randn(10, 10))
        self.temperature = nn.Parameter(torch.tensor(2.0))
        self.norm = nn.LayerNorm(32)
        self.logits = logits

    def forward(self, x):
        return torch.softmax(self.logits(self, self.query(x), self.key(x)), -1) @ self.value(x)


def exact(model, logits, inputs):
    with torch.no_grad():
        return float(logits(model, model.query(inputs), model.key(inputs)).var(-1).mean())


def product(_, q, k):
    return q @ k.transpose(1, 2)


def attention(logits, inputs):
    model = seeded(lambda: Written(logits))
    (found,) = evidence(model, inputs).attentions
    return model, found


@pytest.mark.parametrize("logits", [product, lambda m, q, k: product(m, q * 3, k) / 5, lambda m, q, k: product(m, q, k) * m.temperature])
def test_without_a_bias_the_softmax_input_is_measured(logits):
    model, found = attention(logits, x(8, 10, 32))
    assert found.projections[:2] == ("query.weight", "key.weight")
    assert set(found.projections[2:]) <= {"temperature"}
    assert found.keys == 10 and not found.biased
    assert found.logit_variance.get() == pytest.approx(exact(model, logits, x(8, 10, 32)), rel=0.3)


def test_a_position_bias_is_left_out():
    model, found = attention(lambda m, q, k: product(m, q, k) / 4 + m.bias, x(8, 10, 32))
    assert not found.biased
    assert found.logit_variance.get() == pytest.approx(exact(model, product, x(8, 10, 32)) / 16, rel=0.3)


def test_a_bias_behind_an_unknown_factor_is_said_to_be_part_of_it():
    _, found = attention(lambda m, q, k: product(m, q, k) * m.temperature + m.bias, x(8, 10, 32))
    assert found.biased
    _, capped = attention(lambda m, q, k: 5 * torch.tanh(product(m, q, k) / 5), x(8, 10, 32))
    assert not capped.biased and capped.logit_variance.get() < 25


def test_normalized_queries_name_the_normalization():
    _, found = attention(lambda m, q, k: product(m, m.norm(q), m.norm(k)), x(8, 10, 32))
    assert found.projections == ("norm.weight",)


def test_a_gate_softmax_is_no_attention():
    assert evidence(nn.Sequential(nn.Linear(8, 4), nn.Softmax(-1), nn.Linear(4, 4)), x(8, 8)).attentions == ()
