# hostile: a metaclass whose classes cannot be compared, hashed, printed or inspected
# expect: 0 4
from torch import nn


class Strange(type):
    def __eq__(cls, other):
        raise TypeError('not comparable')

    __hash__ = None

    def __repr__(cls):
        raise TypeError('not printable')

    def __instancecheck__(cls, instance):
        raise TypeError('not an instance')

    def __dir__(cls):
        raise TypeError('not listable')


class Net(nn.Module, metaclass=Strange):
    def __init__(self):
        nn.Module.__init__(self)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
