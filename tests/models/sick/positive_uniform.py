"""Weights from U(0, 1), as `torch.rand` gives them: every unit computes nearly the same sum."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(40, 64)
        self.fc2 = nn.Linear(64, 64)
        self.norm = nn.BatchNorm1d(64)
        self.head = nn.Linear(64, 4)
        nn.init.kaiming_normal_(self.fc1.weight, nonlinearity="relu")
        self.fc2.weight.data = torch.rand(64, 64)  # expect: IC204

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.fc2(torch.relu(self.fc1(x))))))


model = Net()
