# hostile: prints text that looks like a report, to the descriptor itself
# expect: 0
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        os.write(1, b'{"models": [], "failures": []}\n')
        os.write(2, b'\x80\x04\x95garbage\n')
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
