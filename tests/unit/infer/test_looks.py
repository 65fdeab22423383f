"""What the table says of weights that nobody watched."""

import math

import pytest
import torch
from torch import nn

from initcheck.infer.layer.looks import looks_like
from initcheck.measure.parameters.weights import weight_stats


def looks(tensor, fans=None, blocks=1):
    (stats,) = weight_stats({"w": tensor}, {})
    fan_in, fan_out = fans or (tensor[0].numel() if tensor.dim() > 1 else 1, tensor.shape[0])
    return looks_like(stats, fan_in, fan_out, blocks)


def xavier_gates(count):
    return torch.cat([nn.init.xavier_uniform_(torch.empty(50, 60)) for _ in range(count)])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.init.kaiming_uniform_(torch.empty(64, 50), nonlinearity="relu"), "kaiming_uniform(relu)"),
        (lambda: nn.init.xavier_normal_(torch.empty(64, 64)), "kaiming_normal(linear) or xavier_normal"),
        (lambda: torch.ones(40), "ones"),
        (lambda: torch.eye(8), "identity"),
        (lambda: nn.init.orthogonal_(torch.empty(40, 40)), "orthogonal"),
        (lambda: torch.randn(3, 2), "too few elements to tell"),
        (lambda: torch.randn(5, 5), "too few elements to tell"),
        (lambda: torch.randn(400, 100) * 0.0123, "normal, std 0.0123 ± 2 %"),
        (lambda: torch.arange(40_000.0)[torch.randperm(40_000)].reshape(400, 100) / 40_000, "uniform, mean 0.5, std 0.289 ± 1 %"),
        (lambda: torch.randn(80, 100) * (0.5 + torch.rand(80, 1)), "looks trained or rescaled by row"),
        (lambda: torch.full((4, 4), math.nan), "not finite"),
        (lambda: torch.cat([torch.randn(60, 100), 0.02 * torch.randn(60, 100)]), "normal(0, 1) | normal(0, 0.02)"),
        (
            lambda: nn.init.kaiming_normal_(torch.empty(64, 100), nonlinearity="relu").repeat_interleave(4, 0),
            "kaiming_normal(relu), each row 4 times",
        ),
    ],
)
def test_texts(make, text):
    torch.manual_seed(1)
    assert looks(make()) == text


def test_gates():
    torch.manual_seed(0)
    assert looks(xavier_gates(4), (60, 50), blocks=4) == "xavier_uniform per block"
