import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, 64)
        nn.init.kaiming_normal_(
            self.first.weight,  # the only hidden one
            mode="fan_in",  # keeps the forward signal
            nonlinearity="sigmoid",  # left from an older version
        )
        self.second = nn.Linear(64, 64)
        nn.init.xavier_uniform_(
            self.second.weight,
            # no gain
        )
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


model = Net()
# heals: IC201
