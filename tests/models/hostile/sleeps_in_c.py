# hostile: sleeps for a day in C, where no handler of Python runs
# expect: 4
# options: --timeout 5
import ctypes
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        ctypes.PyDLL(None).sleep(86400)

    def forward(self, x):
        return self.fc(x)
