"""A tied language model; widening the vocabulary puts a fresh head in the place of the tied one."""

import torch
from torch import nn


class LM(nn.Module):
    def __init__(self, vocabulary=300, dim=64):
        super().__init__()
        self.words = nn.Embedding(vocabulary, dim)
        self.mix = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, vocabulary, bias=False)
        nn.init.normal_(self.words.weight, std=0.02)
        self.out.weight = self.words.weight
        self.reset_head(vocabulary)

    def reset_head(self, vocabulary):
        self.out = nn.Linear(self.out.in_features, vocabulary, bias=False)  # expect: IC805

    def forward(self, token_ids):
        x = self.words(token_ids)
        return self.out(self.norm(x + self.mix(x)))


model = LM()


def initcheck_input():
    return torch.randint(300, (8, 12))
