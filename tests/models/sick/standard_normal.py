"""A network drawn from N(0, 1): the signal grows by an order of magnitude per layer."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=100):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(width, 30))
        self.w2 = nn.Parameter(torch.randn(width, width))
        self.w3 = nn.Parameter(torch.randn(width, width))  # expect: IC202
        self.w4 = nn.Parameter(torch.randn(5, width) * 0.01)

    def forward(self, x):
        for weight in (self.w1, self.w2, self.w3):
            x = torch.relu(x @ weight.T)
        return x @ self.w4.T


model = Net()


def initcheck_input():
    return torch.randn(32, 30)
