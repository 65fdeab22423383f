# hostile: clears the screen, sets the title and rings the bell
# expect: 0
import sys
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        print('\x1b[2J\x1b[1;1H\x1b]0;owned\x07\x1b[31m\x9b2J\x00\r gone')
        print('\x1b[2J\x1b]0;owned\x07', file=sys.stderr)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
