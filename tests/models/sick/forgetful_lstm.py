"""Forget gates biased shut: the state is gone after a step."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, inputs=8, size=64):
        super().__init__()
        self.lstm = nn.LSTM(inputs, size, batch_first=True)
        self.head = nn.Linear(size, 2)
        with torch.no_grad():
            for gate in range(4):
                nn.init.orthogonal_(self.lstm.weight_hh_l0[gate * size : (gate + 1) * size])
            nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_hh_l0.zero_()
            self.lstm.bias_ih_l0[size : 2 * size].fill_(-3.0)  # expect: IC502

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


model = Net()
