"""The padding row is drawn again by the author's own initialization."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, vocabulary=200, dim=32):
        super().__init__()
        self.words = nn.Embedding(vocabulary, dim, padding_idx=0)
        self.head = nn.Linear(dim, 3)
        nn.init.normal_(self.words.weight, std=0.1)  # expect: IC702

    def forward(self, token_ids):
        return self.head(self.words(token_ids).mean(1))


model = Net()


def initcheck_input():
    return torch.randint(200, (8, 12))
