"""A weight that is no parameter: no optimizer will ever see it."""

import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.weight = torch.randn(dim, dim) / dim**0.5  # expect: IC806
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        return self.head(torch.tanh(x @ self.weight))


model = Mixer()


def initcheck_input():
    return torch.randn(16, 32)
