"""A deep ReLU network drawn with the scheme for tanh."""

from torch import nn


class Net(nn.Module):
    def __init__(self, width=128, depth=8):
        super().__init__()
        sizes = [64] + [width] * depth
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.head = nn.Linear(width, 10)
        for layer in self.layers:
            nn.init.xavier_normal_(layer.weight)  # expect: IC201
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers:
            x = nn.functional.relu(layer(x))
        return self.head(x)


model = Net()
