import torch
from torch import nn


def layer_init(layer, std=1.0, bias_const=0.0):
    torch.nn.init.normal_(layer.weight, 0.0, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            layer_init(nn.Linear(64, 64)),
            nn.ReLU(),
            layer_init(nn.Linear(64, 64)),
            nn.ReLU(),
            layer_init(nn.Linear(64, 64)),
            nn.ReLU(),
        )
        self.head = layer_init(nn.Linear(64, 4), std=0.01)

    def forward(self, x):
        return self.head(self.network(x))


model = Agent()
# heals: IC202
