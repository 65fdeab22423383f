"""Each row of a hidden layer is a copy of the first."""

import torch
from torch import nn

model = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 3))
with torch.no_grad():
    row = torch.randn(48) * (2 / 48) ** 0.5
    model[2].weight.copy_(row.expand(48, 48))  # expect: IC303
