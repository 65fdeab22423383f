"""A hand-written linear layer whose weight nobody ever fills."""

import torch
from torch import nn


class Projection(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))  # expect: IC305
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 32)
        self.second = Projection(32, 4)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


model = Net()
