"""The draw writes into a weight that is computed anew before each use."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Critic(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.conv1 = spectral_norm(nn.Conv2d(3, width, 3, 2, 1))
        self.conv2 = spectral_norm(nn.Conv2d(width, 2 * width, 3, 2, 1))
        self.head = spectral_norm(nn.Linear(2 * width, 1))
        for module in (self.conv1, self.conv2, self.head):
            nn.init.xavier_uniform_(module.weight)  # expect: IC802

    def forward(self, x):
        x = nn.functional.leaky_relu(self.conv1(x), 0.1)
        return self.head(nn.functional.leaky_relu(self.conv2(x), 0.1).mean((2, 3)))


model = Critic()
