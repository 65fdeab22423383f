# hostile: os._exit(0) in __init__, which looks like success
# expect: 4
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        os._exit(0)

    def forward(self, x):
        return self.fc(x)
