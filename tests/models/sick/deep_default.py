"""Sixteen plain layers, and nobody thought of their start."""

from torch import nn

layers = []
for _ in range(16):
    layers += [nn.Linear(96, 96), nn.ReLU()]  # expect: IC209
model = nn.Sequential(*layers, nn.Linear(96, 10))
