# hostile: every unknown attribute exists and is an object that lies, the text forms raise
# expect: 0
from torch import nn


class Lie:
    def __getattr__(self, name):
        return Lie()

    def __call__(self, *args, **kwargs):
        return Lie()

    def __bool__(self):
        raise RuntimeError('neither')

    def __iter__(self):
        while True:
            yield Lie()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith('__'):
                raise
            return Lie()

    def __repr__(self):
        raise RuntimeError('no text')

    def extra_repr(self):
        raise RuntimeError('no text')

    def forward(self, x):
        return self.fc(x)
