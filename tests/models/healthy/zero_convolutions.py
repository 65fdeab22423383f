"""A control branch whose every outlet is a zero convolution, beside a frozen trunk."""

import torch
from torch import nn
from torch.nn import functional as F


def zero(module):
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class Stage(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv(F.silu(self.norm(x)))


class Controlled(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.trunk = nn.ModuleList([Stage(width) for _ in range(2)])
        for parameter in [*self.stem.parameters(), *self.trunk.parameters()]:
            parameter.requires_grad_(False)
        self.hint = nn.Conv2d(3, width, 3, padding=1)
        self.copy = nn.ModuleList([Stage(width) for _ in range(2)])
        self.outlets = nn.ModuleList([zero(nn.Conv2d(width, width, 1)) for _ in range(2)])
        self.head = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x, hint):
        x = self.stem(x)
        control = x + self.hint(hint)
        for stage, copied, outlet in zip(self.trunk, self.copy, self.outlets, strict=True):
            control = copied(control)
            x = stage(x) + outlet(control)
        return self.head(x)


model = Controlled()


def initcheck_input():
    return torch.randn(4, 3, 16, 16), torch.randn(4, 3, 16, 16)
