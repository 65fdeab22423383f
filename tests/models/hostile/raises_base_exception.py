# hostile: an exception that is no Exception
# expect: 4
from torch import nn


class Stop(BaseException):
    pass


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        raise Stop('this far')

    def forward(self, x):
        return self.fc(x)
