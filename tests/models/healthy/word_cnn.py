"""Convolutions over word vectors with three widths, pooled over time: defaults are enough here."""

import torch
from torch import nn


class TextCNN(nn.Module):
    def __init__(self, vocabulary=500, dim=50, channels=32, classes=3):
        super().__init__()
        self.words = nn.Embedding(vocabulary, dim, padding_idx=0)
        self.convs = nn.ModuleList([nn.Conv1d(dim, channels, size, padding=size // 2) for size in (3, 5, 7)])
        self.dropout = nn.Dropout(0.5)
        self.classify = nn.Linear(3 * channels, classes)

    def forward(self, token_ids):
        x = self.words(token_ids).transpose(1, 2)
        pooled = [torch.relu(conv(x)).amax(2) for conv in self.convs]
        return self.classify(self.dropout(torch.cat(pooled, 1)))


model = TextCNN()
