# hostile: an exception whose text, type name and arguments raise
# expect: 4
from torch import nn


class Shy(Exception):
    def __str__(self):
        raise ValueError('no text for you')

    __repr__ = __str__

    def __reduce__(self):
        raise TypeError('no pickle either')


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        raise Shy

    def forward(self, x):
        return self.fc(x)
