# hostile: replaces builtins
# expect: 0 1 4
import builtins
from torch import nn


def refuse(*args, **kwargs):
    raise RuntimeError('not today')


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        builtins.open = builtins.print = builtins.sorted = builtins.repr = refuse

    def forward(self, x):
        return self.fc(x)
