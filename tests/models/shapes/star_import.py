from torch.nn import *
from torch.nn.init import *

model = Sequential(Linear(64, 64), ReLU(), Linear(64, 64), ReLU(), Linear(64, 4))
xavier_uniform_(model[0].weight)
xavier_uniform_(model[2].weight)
# heals: IC201
