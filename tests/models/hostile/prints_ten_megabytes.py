# hostile: prints 10 MB in lines and 10 MB without a newline
# expect: 0
import sys
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for number in range(100_000):
            print('debug', number, 'x' * 90)
        sys.stdout.write('y' * 10_000_000)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
