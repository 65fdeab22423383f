# hostile: replaces its process by another program that succeeds
# expect: 4
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        os.execvp('true', ['true'])

    def forward(self, x):
        return self.fc(x)
