"""A deep plain ReLU network that leaves every weight at the framework's default."""

from torch import nn


class DeepNet(nn.Module):
    def __init__(self, width=128, depth=10):
        super().__init__()
        layers = [nn.Linear(784, width), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [nn.Linear(width, width), nn.ReLU()]  # expect: IC209
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.body(x))


model = DeepNet()
