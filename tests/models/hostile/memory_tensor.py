# hostile: a tensor of 30 GB, every page touched
# expect: 4
# options: --max-memory 4GB --timeout 60
import torch
from torch import nn


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.bank = nn.Parameter(torch.zeros(30, 2**28) + 1)

    def forward(self, x):
        return x @ self.bank
