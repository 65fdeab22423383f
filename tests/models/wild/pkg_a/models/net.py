# wild: package with relative imports across folders, __init__ files that import each other
# expect: checked
# parameters: 332712
import torch
from torch import nn

from ..layers import init_layer
from ..layers.block import Block
from ..data.constants import NUM_CLASSES


class ResidualNet(nn.Module):
    def __init__(self, widths=(32, 64, 128), num_classes=NUM_CLASSES):
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        blocks = []
        for a, b in zip((widths[0],) + tuple(widths[:-1]), widths):
            blocks.append(Block(a, b, stride=1 if a == b else 2))
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(widths[-1], num_classes)
        self.apply(init_layer)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


def build_model(name='residual', **kwargs):
    return {'residual': ResidualNet}[name](**kwargs)
