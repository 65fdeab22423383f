import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, depth: int = 10) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(48, 48) for _ in range(depth)])
        self.out = nn.Linear(48, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.out(x)


model = Net()
# heals: IC209
