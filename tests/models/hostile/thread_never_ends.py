# hostile: threads that are no daemons and never end
# expect: 0
# options: --timeout 15
import threading
import time
from torch import nn


def beat():
    while True:
        time.sleep(0.05)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for _ in range(3):
            threading.Thread(target=beat).start()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
