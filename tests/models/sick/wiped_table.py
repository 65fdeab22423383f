"""Meant for the padding row, the zeroing hits the whole table."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, vocabulary=200, dim=32):
        super().__init__()
        self.words = nn.Embedding(vocabulary, dim, padding_idx=0)
        self.mix = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, 3)
        nn.init.zeros_(self.words.weight)  # expect: IC703

    def forward(self, token_ids):
        return self.head(torch.relu(self.mix(self.words(token_ids))).mean(1))


model = Net()


def initcheck_input():
    return torch.randint(200, (8, 12))
