from torch import nn

from .layers import Stack


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack = Stack(64)
        self.head = nn.Linear(64, 4)
        nn.init.normal_(self.head.weight, std=3.0)

    def forward(self, x):
        return self.head(self.stack(x))


model = Net()
# heals: IC209
