"""Hidden biases far below zero: rectifiers that are never on."""

from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(32, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 4)
        for layer in (self.fc1, self.fc2):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.fc2.bias, -20.0)  # expect: IC402

    def forward(self, x):
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


model = Net()
