# hostile: closes the file descriptors 0, 1 and 2
# expect: 0
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
