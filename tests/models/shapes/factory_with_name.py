from torch import nn


def build(width=64, depth=12):
    net = nn.Sequential()
    for index in range(depth):
        net.add_module(f"linear{index}", nn.Linear(width, width))
        net.add_module(f"relu{index}", nn.ReLU())
    net.add_module("head", nn.Linear(width, 10))
    return net  # not trained yet
# heals: IC209
