import torch
from torch import nn


def make(depth=10):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(depth))
            self.head = nn.Linear(64, 4)

        def forward(self, x):
            for layer in self.layers:
                x = torch.relu(layer(x))
            return self.head(x)

    return Net()


def initcheck_model():
    return make()
# heals: IC209
