# hostile: deletes everything in sys.modules
# expect: 0 4
import sys
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        sys.modules.clear()
        sys.path[:] = []

    def forward(self, x):
        return self.fc(x)
