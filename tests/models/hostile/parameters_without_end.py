# hostile: parameters() and modules() never end
# expect: 0 4
# options: --timeout 5
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def parameters(self, recurse=True):
        while True:
            yield torch.nn.Parameter(torch.zeros(1))

    def named_parameters(self, *args, **kwargs):
        number = 0
        while True:
            yield f'p{number}', torch.nn.Parameter(torch.zeros(1))
            number += 1

    def forward(self, x):
        return self.fc(x)
