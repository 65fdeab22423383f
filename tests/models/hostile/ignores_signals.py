# hostile: ignores every signal that can be ignored, then never returns
# expect: 4
# options: --timeout 5
import signal
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self.fc = nn.Linear(4, 2)
        while True:
            pass

    def forward(self, x):
        return self.fc(x)
