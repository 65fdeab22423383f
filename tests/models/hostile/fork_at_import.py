# hostile: forks a few dozen processes in a needed statement
# expect: 0 4
import os
from torch import nn


def workers():
    for _ in range(5):
        os.fork()
    return 8


model = nn.Linear(workers(), 2)
