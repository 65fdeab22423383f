"""A SIREN with the bounds of its paper: 1/n in the first layer, sqrt(6/n)/omega after it."""

import math

import torch
from torch import nn


class Sine(nn.Module):
    def __init__(self, inputs, outputs, omega=30.0, first=False):
        super().__init__()
        self.omega = omega
        self.linear = nn.Linear(inputs, outputs)
        bound = 1 / inputs if first else math.sqrt(6 / inputs) / omega
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return torch.sin(self.omega * self.linear(x))


class Siren(nn.Module):
    def __init__(self, inputs=2, width=256, outputs=3, omega=30.0):
        super().__init__()
        self.layers = nn.Sequential(Sine(inputs, width, omega, first=True), Sine(width, width, omega), Sine(width, width, omega))
        self.head = nn.Linear(width, outputs)
        bound = math.sqrt(6 / width) / omega
        nn.init.uniform_(self.head.weight, -bound, bound)

    def forward(self, coordinates):
        return self.head(self.layers(coordinates))


model = Siren()


def initcheck_input():
    return torch.rand(256, 2) * 2 - 1
