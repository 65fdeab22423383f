import torch
from torch import nn


class Net(nn.Module):
    """A plain stack."""

    def __init__(self, width=64, depth=12):
        super().__init__()
        layers = []
        for _ in range(depth):
            layers += [nn.Linear(width, width), nn.ReLU()]  # plain on purpose
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.body(x))


model = Net()
# heals: IC209
