"""A language model whose unit embeddings are also its output head."""

import torch
from torch import nn


class LM(nn.Module):
    def __init__(self, vocabulary=600, dim=256):
        super().__init__()
        self.words = nn.Embedding(vocabulary, dim)  # expect: IC701
        self.mix = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, vocabulary, bias=False)
        self.out.weight = self.words.weight

    def forward(self, token_ids):
        x = self.words(token_ids)
        return self.out(self.norm(x + self.mix(x)))


model = LM()


def initcheck_input():
    return torch.randint(600, (8, 12))
