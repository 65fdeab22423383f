"""A gate that starts shut in front of everything that should learn."""

import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, dim=48):
        super().__init__()
        self.value = nn.Linear(dim, dim)
        self.gate = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, 4)
        nn.init.xavier_uniform_(self.value.weight)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, -7.0)  # expect: IC405

    def forward(self, x):
        return self.head(torch.sigmoid(self.gate(x)) * self.value(x))


model = Gated()


def initcheck_input():
    return torch.randn(32, 48)
