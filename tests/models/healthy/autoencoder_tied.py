"""An autoencoder whose decoder is the transposed encoder."""

import torch
from torch import nn
from torch.nn import functional as F


class TiedAutoencoder(nn.Module):
    def __init__(self, inputs=256, hidden=64):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(hidden, inputs))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.visible_bias = nn.Parameter(torch.zeros(inputs))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x):
        code = torch.tanh(F.linear(x, self.weight, self.hidden_bias))
        return F.linear(code, self.weight.t(), self.visible_bias)


model = TiedAutoencoder()


def initcheck_input():
    return torch.randn(32, 256)
