"""A state-space block in the manner of Mamba: S4D-real ramp, log-spaced time steps, D of ones."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Mixer(nn.Module):
    def __init__(self, dim=32, inner=64, states=8, rank=4, low=1e-3, high=1e-1):
        super().__init__()
        self.inner, self.states, self.rank = inner, states, rank
        self.in_proj = nn.Linear(dim, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, 4, groups=inner, padding=3)
        self.x_proj = nn.Linear(inner, rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1, states + 1).float()).repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, dim, bias=False)
        nn.init.uniform_(self.dt_proj.weight, -(rank**-0.5), rank**-0.5)
        step = torch.exp(torch.rand(inner) * (math.log(high) - math.log(low)) + math.log(low)).clamp(min=1e-4)
        with torch.no_grad():
            self.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))

    def forward(self, x):
        length = x.shape[1]
        data, gate = self.in_proj(x).chunk(2, -1)
        data = F.silu(self.conv1d(data.transpose(1, 2))[..., :length].transpose(1, 2))
        step, b, c = self.x_proj(data).split([self.rank, self.states, self.states], -1)
        step = F.softplus(self.dt_proj(step))
        decay = torch.exp(step.unsqueeze(-1) * -torch.exp(self.A_log))
        drive = step.unsqueeze(-1) * b.unsqueeze(2) * data.unsqueeze(-1)
        state, outputs = torch.zeros_like(drive[:, 0]), []
        for time in range(length):
            state = decay[:, time] * state + drive[:, time]
            outputs.append((state * c[:, time, None]).sum(-1))
        y = torch.stack(outputs, 1) + data * self.D
        return self.out_proj(y * F.silu(gate))


class Net(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.mixer = Mixer(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        return self.head(x + self.mixer(self.norm(x)))


model = Net()


def initcheck_input():
    return torch.randn(8, 10, 32)
