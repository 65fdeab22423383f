"""An encoder stacked from deep copies of one layer: all blocks start equal."""

import copy

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, dim=64, depth=4):
        super().__init__()
        layer = nn.TransformerEncoderLayer(dim, 4, 128, batch_first=True)
        self.layers = nn.ModuleList([copy.deepcopy(layer) for _ in range(depth)])  # expect: IC304
        self.head = nn.Linear(dim, 5)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean(1))


model = Encoder()


def initcheck_input():
    return torch.randn(8, 10, 64)
