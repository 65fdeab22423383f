"""Twenty layers of ReLU with He's scheme."""

from torch import nn


def build():
    layers = []
    for index in range(20):
        layer = nn.Linear(64 if index == 0 else 128, 128)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    head = nn.Linear(128, 10)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


model = build()
