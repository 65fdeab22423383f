# hostile: sets the default device to one that is not there
# expect: 0 4
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.set_default_device('cuda')
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
