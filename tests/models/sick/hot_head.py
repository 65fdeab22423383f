"""A classifier head from N(0, 1) on normalized features."""

from torch import nn


class Net(nn.Module):
    def __init__(self, classes=20):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 256), nn.LayerNorm(256), nn.ReLU(), nn.Linear(256, 256), nn.LayerNorm(256))
        self.head = nn.Linear(256, classes)
        nn.init.normal_(self.head.weight)  # expect: IC704
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.body(x))


model = Net()
