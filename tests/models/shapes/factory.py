from torch import nn


def mlp(width=64, depth=12):
    layers = []
    for _ in range(depth):
        layers.append(nn.Linear(width, width))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.Linear(width, 10))


def initcheck_model():
    return mlp()
# heals: IC209
