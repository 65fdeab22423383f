# hostile: endless training at import, which the model does not need
# expect: 0
import torch
from torch import nn

model = nn.Linear(4, 2)
while True:
    loss = model(torch.randn(8, 4)).mean()
    loss.backward()
