"""A careful draw of one layer, undone by the general pass at the end."""

from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(32, 64)
        self.fc2 = nn.Linear(64, 64)
        self.head = nn.Linear(64, 8)
        nn.init.zeros_(self.head.weight)  # expect: IC801
        nn.init.zeros_(self.head.bias)
        self.apply(self._init_weights)

    @staticmethod
    def _init_weights(module):
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x):
        return self.head(self.fc2(self.fc1(x).relu()).relu())


model = Net()
