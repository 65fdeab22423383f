"""A stack of experts drawn in one call: torch takes the experts' inputs for a kernel."""

import torch
from torch import nn


class Experts(nn.Module):
    def __init__(self, count=8, inputs=64, outputs=64):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")  # expect: IC205
        self.gate = nn.Linear(inputs, count)
        self.head = nn.Linear(outputs, 4)

    def forward(self, x):
        hidden = torch.relu(torch.einsum("bi,eio->beo", x, self.weight))
        return self.head((hidden * self.gate(x).softmax(-1).unsqueeze(-1)).sum(1))


model = Experts()


def initcheck_input():
    return torch.randn(32, 64)
