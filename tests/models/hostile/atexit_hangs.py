# hostile: hooks at exit that never return, a finalizer that raises
# expect: 0
# options: --timeout 15
import atexit
import threading
import time
from torch import nn


def upload_logs():
    while True:
        time.sleep(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        atexit.register(upload_logs)
        threading._register_atexit(upload_logs)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)

    def __del__(self):
        raise RuntimeError('not now')
