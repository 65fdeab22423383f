# hostile: puts objects that raise in place of the standard streams
# expect: 0
import sys
from torch import nn


class Broken:
    def write(self, text):
        raise OSError('no')

    def __getattr__(self, name):
        raise RuntimeError(name)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        sys.stdout = sys.__stdout__ = Broken()
        sys.stderr = sys.__stderr__ = Broken()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
