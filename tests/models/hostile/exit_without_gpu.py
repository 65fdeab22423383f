# hostile: leaves at top level where there is no GPU
# expect: 0
import sys
import torch
from torch import nn

if not torch.cuda.is_available():
    print('No GPU, no fun.')
    sys.exit(1)

model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)).cuda()
