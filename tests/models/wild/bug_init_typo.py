# wild: author's bug in __init__, a misspelled layer name
# expect: message
import torch
import torch.nn as nn


class PoseRegressor(nn.Module):
    def __init__(self, n_joints=17, hidden=512):
        super(PoseRegressor, self).__init__()
        self.lift = nn.Linear(n_joints * 2, hidden)
        self.block1 = nn.Sequential(nn.Linear(hidden, hidden), nn.BatchNorm1D(hidden), nn.ReLU(), nn.Dropout(0.5))
        self.block2 = nn.Sequential(nn.Linear(hidden, hidden), nn.BatchNorm1D(hidden), nn.ReLU(), nn.Dropout(0.5))
        self.out = nn.Linear(hidden, n_joints * 3)

    def forward(self, kpts2d):
        x = self.lift(kpts2d.flatten(1))
        x = x + self.block1(x)
        x = x + self.block2(x)
        return self.out(x).view(-1, 17, 3)
