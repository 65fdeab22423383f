import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=64):
        super(Net, self).__init__()
        self.trunk = self._stack(width, 10)
        self.head = nn.Linear(width, 4)
        return

    def _stack(self, width, depth):
        parts = []
        for _ in range(depth):
            parts.append(nn.Linear(width, width))
            parts.append(nn.ReLU(inplace=True))
        return nn.Sequential(*parts)

    def forward(self, x):
        return self.head(self.trunk(x))


model = Net()
# heals: IC209
