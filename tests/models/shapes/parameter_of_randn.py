import math

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.inner = nn.Parameter(torch.randn(width, width))
        self.middle = nn.Parameter(torch.randn(width, width) * 2)
        self.outer = nn.Parameter(3 * torch.rand((width, width), dtype=torch.float32))
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        for weight in (self.inner, self.middle, self.outer):
            x = torch.relu(x @ weight)
        return self.head(x)


model = Net()
# heals: IC202
