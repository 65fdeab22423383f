"""Every weight set to one number: all units of a layer stay the same for ever."""

from torch import nn

model = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.constant_(layer.weight, 0.05)  # expect: IC302
        nn.init.zeros_(layer.bias)
