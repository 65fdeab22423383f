import torch
from torch import nn


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=1.0)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[part for _ in range(5) for part in (nn.Linear(64, 64), nn.ReLU())])
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, 10)
        self.apply(init_weights)

    def forward(self, x):
        return self.head(self.norm(self.body(x)))


model = Net()
# heals: IC202
