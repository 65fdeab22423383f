"""A DiT-like block: modulation of the norms by a zero layer, a zero output layer."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(dim, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(approximate="tanh"), nn.Linear(4 * dim, dim))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))

    def forward(self, x, c):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(c)[:, None].chunk(6, -1)
        y = self.norm1(x) * (1 + scale1) + shift1
        x = x + gate1 * self.attention(y, y, y, need_weights=False)[0]
        y = self.norm2(x) * (1 + scale2) + shift2
        return x + gate2 * self.mlp(y)


class DiT(nn.Module):
    def __init__(self, channels=4, dim=64, depth=2):
        super().__init__()
        self.patches = nn.Conv2d(channels, dim, 2, 2)
        self.time = nn.Sequential(nn.Linear(32, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.blocks = nn.ModuleList([Block(dim, 4) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.out = nn.Linear(dim, 4 * channels)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for layer in (self.time[0], self.time[2]):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.xavier_uniform_(self.patches.weight.view(dim, -1))
        for layer in [self.out, *(block.modulation[1] for block in self.blocks)]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x, t):
        waves = t[:, None].float() * torch.exp(-torch.arange(16) / 4)
        c = self.time(torch.cat([waves.sin(), waves.cos()], -1))
        x = self.patches(x).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x, c)
        return self.out(F.silu(self.norm(x)))


model = DiT()


def initcheck_input():
    return torch.randn(8, 4, 8, 8), torch.randint(1000, (8,))
