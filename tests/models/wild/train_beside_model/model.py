import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, n_mfcc, hidden, n_speakers):
        super().__init__()
        self.gru = nn.GRU(n_mfcc, hidden, 2, batch_first=True, dropout=0.2)
        self.att = nn.Linear(hidden, 1)
        self.out = nn.Linear(hidden, n_speakers)

    def forward(self, mfcc):
        h, _ = self.gru(mfcc)
        a = torch.softmax(self.att(h), 1)
        return self.out((a * h).sum(1))
