# hostile: an exception that is its own cause
# expect: 4
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        first, second = ValueError('first'), ValueError('second')
        first.__cause__, second.__cause__ = second, first
        raise ExceptionGroup('both', [first, second])

    def forward(self, x):
        return self.fc(x)
