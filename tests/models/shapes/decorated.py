import functools

import torch
from torch import nn

REGISTRY = {}


def register(name):
    def add(kind):
        REGISTRY[name] = kind
        return kind

    return add


# the one network of this file
@register("net")
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(10))
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.head(x)


@functools.lru_cache
def build():
    return REGISTRY["net"]()


model = build()
# heals: IC209
