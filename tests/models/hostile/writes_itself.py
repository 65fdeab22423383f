# hostile: rewrites its own source while it is built
# expect: 0 4
from torch import nn

HERE = __file__


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        try:
            with open(HERE, 'a') as handle:
                handle.write('# was here\n')
        except OSError:
            pass
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
