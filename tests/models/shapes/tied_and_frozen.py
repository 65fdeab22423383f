import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(500, 128)
        self.norm = nn.LayerNorm(128)
        self.head = nn.Linear(128, 500, bias=False)
        self.head.weight = self.tokens.weight  # tied

    def forward(self, ids):
        return self.head(self.norm(self.tokens(ids)))


model = Net()
# heals: IC701
