# hostile: __signature__, __module__, __qualname__ and __doc__ are not what they should be
# expect: 0 4
from torch import nn


class Net(nn.Module):
    __signature__ = 'none of your business'

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)


Net.__module__ = None
Net.__doc__ = 7
Net.forward.__wrapped__ = Net.forward
Net.forward.__signature__ = 3
