# hostile: every warning is an error from here on
# expect: 0
import warnings
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        warnings.simplefilter('error')
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
