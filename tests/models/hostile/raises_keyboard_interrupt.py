# hostile: raises KeyboardInterrupt itself
# expect: 4
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        raise KeyboardInterrupt

    def forward(self, x):
        return self.fc(x)
