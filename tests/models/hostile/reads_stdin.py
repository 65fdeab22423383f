# hostile: waits for an answer at the terminal
# expect: 0 4
# options: --timeout 15
from torch import nn

width = int(input('how wide? ') or 8)
model = nn.Linear(width, 2)
