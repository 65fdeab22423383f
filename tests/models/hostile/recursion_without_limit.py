# hostile: raises the recursion limit, then overflows the stack of C
# expect: 4
import sys
from torch import nn


def deep(n):
    return sorted([n], key=lambda k: deep(k + 1))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        sys.setrecursionlimit(10**9)
        self.fc = nn.Linear(4, len(deep(0)))

    def forward(self, x):
        return self.fc(x)
