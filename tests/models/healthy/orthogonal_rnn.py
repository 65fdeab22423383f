"""A plain recurrent network with an orthogonal recurrence, and a GRU beside it."""

import torch
from torch import nn


class Recurrent(nn.Module):
    def __init__(self, inputs=12, size=64, classes=4):
        super().__init__()
        self.rnn = nn.RNN(inputs, size, batch_first=True)
        self.gru = nn.GRU(inputs, size, batch_first=True)
        self.head = nn.Linear(2 * size, classes)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        with torch.no_grad():
            for gate in self.gru.weight_hh_l0.split(size):
                nn.init.orthogonal_(gate)
        for module in (self.rnn, self.gru):
            nn.init.xavier_uniform_(module.weight_ih_l0)
            nn.init.zeros_(module.bias_ih_l0)
            nn.init.zeros_(module.bias_hh_l0)

    def forward(self, x):
        return self.head(torch.cat([self.rnn(x)[0][:, -1], self.gru(x)[0][:, -1]], -1))


model = Recurrent()
