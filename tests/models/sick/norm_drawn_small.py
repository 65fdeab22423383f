"""A loop over all parameters draws the scales of the norms too."""

from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(32, 64)
        self.norm1 = nn.LayerNorm(64)
        self.fc2 = nn.Linear(64, 64)
        self.norm2 = nn.LayerNorm(64)
        self.head = nn.Linear(64, 4)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.02)  # expect: IC601

    def forward(self, x):
        x = self.norm1(self.fc1(x)).relu()
        return self.head(self.norm2(self.fc2(x)).relu())


model = Net()
