"""A frozen layer with a low-rank adapter: A random, B zero."""

import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, inner, rank=8, alpha=16):
        super().__init__()
        self.inner = inner
        for parameter in inner.parameters():
            parameter.requires_grad_(False)
        self.lora_a = nn.Parameter(torch.empty(rank, inner.in_features))
        self.lora_b = nn.Parameter(torch.zeros(inner.out_features, rank))
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x):
        return self.inner(x) + (x @ self.lora_a.T @ self.lora_b.T) * self.scale


class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = LoRALinear(nn.Linear(64, 128))
        self.fc2 = LoRALinear(nn.Linear(128, 64))
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


model = Adapted()
