import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=64)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()

model = nn.Sequential(
    nn.Linear(args.width, args.width),
    nn.ReLU(),
    nn.Linear(args.width, args.width),
    nn.ReLU(),
    nn.Linear(args.width, 10),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        layer.weight.data.fill_(0.05)

optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(args.epochs):
    x, y = torch.randn(32, args.width), torch.randint(10, (32,))
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
# heals: IC302
