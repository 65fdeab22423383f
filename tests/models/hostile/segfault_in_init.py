# hostile: reads address 0 through ctypes
# expect: 4
import ctypes
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        ctypes.string_at(0)

    def forward(self, x):
        return self.fc(x)
