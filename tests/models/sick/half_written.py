"""Only the first half of a fused projection is drawn."""

import torch
from torch import nn


class Fused(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2 * dim, dim))
        nn.init.xavier_uniform_(self.weight[:dim])  # expect: IC306
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        value, gate = nn.functional.linear(x, self.weight).chunk(2, -1)
        return self.head(value * torch.sigmoid(gate))


model = Fused()


def initcheck_input():
    return torch.randn(16, 32)
