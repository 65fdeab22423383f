import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

model = nn.Sequential(weight_norm(nn.Linear(64, 64)), nn.ReLU(), weight_norm(nn.Linear(64, 64)), nn.ReLU(), nn.Linear(64, 4))
for layer in (model[0], model[2]):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
# heals: IC802
