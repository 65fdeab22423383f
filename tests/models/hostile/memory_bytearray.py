# hostile: 30 GB of bytes, in steps
# expect: 4
# options: --max-memory 4GB --timeout 60
from torch import nn


def read_everything():
    parts = []
    for _ in range(120):
        parts.append(bytearray(b'\1') * 2**28)
    return len(parts)


model = nn.Linear(read_everything(), 2)
