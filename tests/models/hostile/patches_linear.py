# hostile: replaces nn.Linear.forward, nn.Module.__call__ and the initializers for everybody
# expect: 0 1
import torch
from torch import nn


def forward(self, x):
    return x.new_zeros(*x.shape[:-1], self.out_features) + self.weight.sum()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        nn.Linear.forward = forward
        nn.init.kaiming_uniform_ = lambda tensor, *args, **kwargs: tensor
        torch.manual_seed = lambda seed: None
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
