# hostile: forward calls itself without end
# expect: 4
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.forward(self.fc(x))
