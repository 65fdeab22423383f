"""Residual blocks without normalization, every branch at full strength: the stream doubles in each."""

from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # expect: IC112
            nn.init.zeros_(conv.bias)

    def forward(self, x):
        return x + self.conv2(self.conv1(x.relu()).relu())


class Net(nn.Module):
    def __init__(self, width=32, depth=12):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*[Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, 10)
        nn.init.normal_(self.head.weight, std=0.0001)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


model = Net()
