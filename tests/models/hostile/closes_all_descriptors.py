# hostile: closes every file descriptor, whoever owns it
# expect: 0 4
# options: --timeout 5
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        os.closerange(0, 256)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
