# hostile: changes the working folder and the environment
# expect: 0
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        os.chdir('/')
        os.environ.clear()
        os.umask(0)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
