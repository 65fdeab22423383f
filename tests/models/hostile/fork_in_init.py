# hostile: forks a few dozen processes while the model is built, every child builds on
# expect: 0 4
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for _ in range(5):
            os.fork()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
