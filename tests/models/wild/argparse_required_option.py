# wild: a required argparse option that has nothing to do with the model
# expect: checked
# parameters: 3249
import argparse
import csv
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument('--csv', required=True, help='path to the table')
p.add_argument('target', help='column to predict')
p.add_argument('--n_features', type=int, default=16)
p.add_argument('--units', type=int, default=48)
p.add_argument('--steps', type=int, default=2000)
args = p.parse_args()


class TabularNet(nn.Module):
    def __init__(self, n_in, units):
        super().__init__()
        self.bn = nn.BatchNorm1d(n_in)
        self.l1 = nn.Linear(n_in, units)
        self.l2 = nn.Linear(units, units)
        self.l3 = nn.Linear(units, 1)

    def forward(self, rows):
        h = torch.relu(self.l1(self.bn(rows)))
        h = torch.relu(self.l2(h))
        return self.l3(h).squeeze(-1)


net = TabularNet(args.n_features, args.units)

with open(args.csv) as handle:
    table = [[float(v) for v in row] for row in csv.reader(handle)]
data = torch.tensor(table)
x, y = data[:, :-1], data[:, -1]

optim = torch.optim.RMSprop(net.parameters())
for step in range(args.steps):
    pick = torch.randint(0, len(x), (64,))
    loss = (net(x[pick]) - y[pick]).pow(2).mean()
    optim.zero_grad()
    loss.backward()
    optim.step()
    if step % 100 == 0:
        print(step, loss.item())
