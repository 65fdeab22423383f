"""A plain CNN of a dozen layers with GPT's 0.02 everywhere."""

from torch import nn


def build(width=32, depth=10):
    layers, channels = [], 3
    for _ in range(depth):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
    for module in net:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=0.02)  # expect: IC203
            nn.init.zeros_(module.bias)
    return net


model = build()
