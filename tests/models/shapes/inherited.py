import torch
from torch import nn


class Base(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(10))
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        for layer in self.layers:
            x = self.activation(layer(x))
        return self.head(x)


class Net(Base):
    def __init__(self):
        super().__init__(nn.ReLU())


model = Net()
# heals: IC209
