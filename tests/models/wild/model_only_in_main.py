# wild: no class at all, the model is a Sequential built inside main()
# expect: checked
# parameters: 9697
import math
import sys
import time

import torch
from torch import nn


def make_spirals(n, noise=0.1):
    theta = torch.sqrt(torch.rand(n)) * 3 * math.pi
    r = theta + noise * torch.randn(n)
    a = torch.stack([torch.cos(theta) * r, torch.sin(theta) * r], 1)
    return torch.cat([a, -a]), torch.cat([torch.zeros(n), torch.ones(n)])


def main():
    torch.manual_seed(7)
    width = 96
    x, y = make_spirals(800)
    model = nn.Sequential(
        nn.Linear(2, width),
        nn.Tanh(),
        nn.Linear(width, width),
        nn.Tanh(),
        nn.Linear(width, 1),
    )
    print(model)
    opt = torch.optim.Adam(model.parameters(), 1e-2)
    started = time.time()
    for step in range(3000):
        logits = model(x).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 500 == 0:
            acc = ((logits > 0).float() == y).float().mean()
            sys.stdout.write('%5d  loss %.4f  acc %.3f  %.1fs\n' % (step, loss.item(), acc.item(), time.time() - started))
    torch.save(model, 'spiral.pt')


if __name__ == '__main__':
    main()
