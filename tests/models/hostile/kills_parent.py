# hostile: kills its parent and its process group
# expect: 0 4
# options: --timeout 10
import os
import signal
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        os.kill(os.getppid(), signal.SIGKILL)
        os.killpg(os.getpgid(0), signal.SIGKILL)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
