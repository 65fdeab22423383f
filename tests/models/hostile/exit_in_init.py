# hostile: sys.exit(0) in __init__
# expect: 4
import sys
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        sys.exit()

    def forward(self, x):
        return self.fc(x)
