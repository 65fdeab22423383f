# hostile: the module is its own child, the output contains itself
# expect: 0
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.block = nn.Sequential(nn.ReLU())
        self.block.owner = [self]
        self.me = (self,)

    def forward(self, x):
        out = [self.fc(x)]
        out.append({'again': out})
        return out
