# hostile: a statement that the model needs never returns
# expect: 4
# options: --timeout 5
from torch import nn


def find_free_gpu():
    while True:
        pass


width = find_free_gpu()
model = nn.Linear(width, 2)
