"""A transformer block whose feed-forward part is a routed mixture of experts, one He per expert."""

import torch
from torch import nn
from torch.nn import functional as F


class Experts(nn.Module):
    def __init__(self, dim=64, hidden=128, count=4):
        super().__init__()
        self.router = nn.Linear(dim, count, bias=False)
        self.w1 = nn.Parameter(torch.empty(count, dim, hidden))
        self.w2 = nn.Parameter(torch.empty(count, hidden, dim))
        nn.init.normal_(self.router.weight, std=0.02)
        for index in range(count):
            nn.init.normal_(self.w1[index], std=(2 / dim) ** 0.5)
            nn.init.normal_(self.w2[index], std=hidden**-0.5)

    def forward(self, x):
        chances = F.softmax(self.router(x), -1)
        hidden = F.relu(torch.einsum("btd,edh->bteh", x, self.w1))
        return torch.einsum("bteh,ehd,bte->btd", hidden, self.w2, chances)


class Block(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, 4, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.experts = Experts(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        normed = self.norm1(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        x = x + self.experts(self.norm2(x))
        return self.head(x)


def initcheck_model():
    return Block()


def initcheck_input():
    return torch.randn(8, 12, 64)
