"""Two towers of embeddings and a shallow perceptron over their product."""

import torch
from torch import nn


class Recommender(nn.Module):
    def __init__(self, users=300, items=500, dim=32):
        super().__init__()
        self.users = nn.Embedding(users, dim)
        self.items = nn.Embedding(items, dim)
        self.mlp = nn.Sequential(nn.Linear(2 * dim, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.out = nn.Linear(32 + dim, 1)
        nn.init.normal_(self.users.weight, std=0.01)
        nn.init.normal_(self.items.weight, std=0.01)
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain("relu"))
                nn.init.zeros_(layer.bias)

    def forward(self, user, item):
        u, i = self.users(user), self.items(item)
        return self.out(torch.cat([self.mlp(torch.cat([u, i], -1)), u * i], -1)).squeeze(-1)


model = Recommender()


def initcheck_input():
    return torch.randint(300, (32,)), torch.randint(500, (32,))
