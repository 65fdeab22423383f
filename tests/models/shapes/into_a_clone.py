import torch
from torch import nn

model = nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight.detach().clone(), nonlinearity="relu")  # never arrives
# heals: IC802
