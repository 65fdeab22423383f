import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, depth=10):
        super().__init__()
        self.depth = depth
        for i in range(depth):
            setattr(self, "fc%d" % i, nn.Linear(64, 64))
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        for i in range(self.depth):
            x = torch.relu(getattr(self, "fc%d" % i)(x))
        return self.head(x)


model = Net()
# heals: IC209
