# hostile: an exception with 5 MB of text, escapes and a lone surrogate
# expect: 4
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        raise ValueError('\x1b[2J\x1b]0;owned\x07\udcff' + 'long ' * 1_000_000)

    def forward(self, x):
        return self.fc(x)
