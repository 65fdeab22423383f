"""A router with equal rows sends every token to the same experts."""

import torch
from torch import nn


class Routed(nn.Module):
    def __init__(self, dim=32, count=4):
        super().__init__()
        self.router = nn.Linear(dim, count, bias=False)
        nn.init.constant_(self.router.weight, 0.1)  # expect: IC608
        self.experts = nn.ModuleList([nn.Linear(dim, dim) for _ in range(count)])
        self.head = nn.Linear(dim, 4)

    def forward(self, x):
        chances, picked = self.router(x).softmax(-1).topk(2, -1)
        outputs = torch.stack([expert(x) for expert in self.experts], 1)
        chosen = outputs.gather(1, picked.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        return self.head(torch.relu((chosen * chances.unsqueeze(-1)).sum(1)))


model = Routed()


def initcheck_input():
    return torch.randn(32, 32)
