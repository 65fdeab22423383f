"""An encoder and a decoder of LSTMs: orthogonal recurrences per gate, forget biases of one."""

import torch
from torch import nn


def init_lstm(lstm):
    size = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        elif name.startswith("weight_hh"):
            for gate in range(4):
                nn.init.orthogonal_(parameter[gate * size : (gate + 1) * size])
        else:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                nn.init.ones_(parameter[size : 2 * size])


class Seq2Seq(nn.Module):
    def __init__(self, vocabulary=200, dim=48, size=64):
        super().__init__()
        self.source = nn.Embedding(vocabulary, dim, padding_idx=0)
        self.target = nn.Embedding(vocabulary, dim, padding_idx=0)
        self.encoder = nn.LSTM(dim, size, batch_first=True)
        self.decoder = nn.LSTM(dim, size, batch_first=True)
        self.out = nn.Linear(size, vocabulary)
        with torch.no_grad():
            init_lstm(self.encoder)
            init_lstm(self.decoder)

    def forward(self, source, target):
        _, state = self.encoder(self.source(source))
        hidden, _ = self.decoder(self.target(target), state)
        return self.out(hidden)


model = Seq2Seq()


def initcheck_input():
    return torch.randint(1, 200, (8, 12)), torch.randint(1, 200, (8, 10))
