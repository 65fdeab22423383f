"""A graph convolution network by hand: Glorot weights stored as (in, out), zero biases."""

import torch
from torch import nn


class GraphConv(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adjacency):
        return adjacency @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, features=48, hidden=32, classes=7):
        super().__init__()
        self.gc1 = GraphConv(features, hidden)
        self.gc2 = GraphConv(hidden, classes)

    def forward(self, x, adjacency):
        return self.gc2(torch.relu(self.gc1(x, adjacency)), adjacency)


model = GCN()


def initcheck_input():
    neighbours = (torch.rand(60, 60) < 0.1).float() + torch.eye(60)
    return torch.randn(60, 48), neighbours / neighbours.sum(1, keepdim=True)
