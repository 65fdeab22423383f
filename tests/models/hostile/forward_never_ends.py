# hostile: forward never returns
# expect: 4
# options: --timeout 5
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        while True:
            x = self.fc(x)
