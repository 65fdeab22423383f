"""An adapter whose two factors are both zero: neither ever gets a gradient."""

import torch
from torch import nn


class Adapter(nn.Module):
    def __init__(self, dim=48, rank=4):
        super().__init__()
        self.inner = nn.Linear(dim, dim)
        self.a = nn.Parameter(torch.zeros(rank, dim))  # expect: IC301
        self.b = nn.Parameter(torch.zeros(dim, rank))
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        return self.head(torch.relu(self.inner(x) + x @ self.a.T @ self.b.T))


model = Adapter()


def initcheck_input():
    return torch.randn(16, 48)
