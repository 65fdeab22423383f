"""A temporal convolution network: dilated causal convolutions under weight_norm, residual blocks."""

from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm


class TemporalBlock(nn.Module):
    def __init__(self, inputs, outputs, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.conv1 = weight_norm(nn.Conv1d(inputs, outputs, 3, dilation=dilation))
        self.conv2 = weight_norm(nn.Conv1d(outputs, outputs, 3, dilation=dilation))
        self.shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        y = F.relu(self.conv1(F.pad(x, (self.pad, 0))))
        y = F.relu(self.conv2(F.pad(y, (self.pad, 0))))
        return F.relu(y + self.shortcut(x))


class TCN(nn.Module):
    def __init__(self, channels=8, width=32, classes=5):
        super().__init__()
        self.blocks = nn.Sequential(TemporalBlock(channels, width, 1), TemporalBlock(width, width, 2))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.blocks(x)[..., -1])


model = TCN()
