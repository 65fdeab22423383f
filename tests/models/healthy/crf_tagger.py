"""An orthogonal LSTM under a table of transition scores, in which -10000 forbids what cannot follow."""

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, vocabulary=100, dim=32, size=32, tags=5):
        super().__init__()
        self.size, self.tags = size, tags
        self.words = nn.Embedding(vocabulary, dim)
        self.lstm = nn.LSTM(dim, size, batch_first=True)
        self.score = nn.Linear(size, tags)
        self.transitions = nn.Parameter(torch.randn(tags, tags))
        self.transitions.data[0, :] = -10000
        self.transitions.data[:, tags - 1] = -10000
        with torch.no_grad():
            for gate in range(4):
                nn.init.orthogonal_(self.lstm.weight_hh_l0[gate * size : (gate + 1) * size])
                nn.init.xavier_uniform_(self.lstm.weight_ih_l0[gate * size : (gate + 1) * size])
            nn.init.zeros_(self.lstm.bias_ih_l0)
            nn.init.zeros_(self.lstm.bias_hh_l0)
            nn.init.ones_(self.lstm.bias_ih_l0[size : 2 * size])

    def forward(self, ids):
        scores = self.score(self.lstm(self.words(ids))[0])
        before = scores[:, 0]
        for step in range(1, scores.shape[1]):
            before = torch.logsumexp(before.unsqueeze(1) + self.transitions, dim=2) + scores[:, step]
        return torch.logsumexp(before, dim=1)


model = Tagger()
