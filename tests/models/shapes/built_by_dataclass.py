from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    width: int = 64
    depth: int = 10
    classes: int = 5


@dataclass(eq=False)
class Net(nn.Module):
    config: Config

    def __post_init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(self.config.width, self.config.width) for _ in range(self.config.depth))
        self.head = nn.Linear(self.config.width, self.config.classes)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.head(x)


model = Net(Config())
# heals: IC209
