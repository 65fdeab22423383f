"""An LSTM as the framework leaves it, over a long sequence."""

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, words=300, dim=32, size=64, tags=9):
        super().__init__()
        self.words = nn.Embedding(words, dim)
        self.lstm = nn.LSTM(dim, size, batch_first=True)  # expect: IC501
        self.tags = nn.Linear(size, tags)

    def forward(self, token_ids):
        return self.tags(self.lstm(self.words(token_ids))[0])


model = Tagger()


def initcheck_input():
    return torch.randint(300, (8, 24))
