# hostile: builds itself without end
# expect: 4
from torch import nn


class Tree(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.child = Tree()

    def forward(self, x):
        return self.child(self.fc(x))
