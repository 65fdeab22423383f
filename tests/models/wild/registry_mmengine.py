# wild: registry decorator from a missing package, BaseModule as base class
# expect: checked
# parameters: 1175164
import torch
import torch.nn as nn
from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmengine.registry import MODELS


class SELayer(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels),
            nn.Sigmoid())

    def forward(self, x):
        w = self.fc(x.mean(dim=(2, 3)))
        return x * w[:, :, None, None]


@MODELS.register_module()
class SimpleBackbone(BaseModule):
    """Plain backbone with squeeze-and-excitation.

    Args:
        in_channels (int): Input channels. Default: 3.
        stem_channels (int): Output channels of the stem. Default: 32.
        stage_channels (tuple[int]): Output channels of the stages.
        out_indices (tuple[int]): Which stages are returned.
    """

    def __init__(self, in_channels=3, stem_channels=32, stage_channels=(64, 128, 256), out_indices=(0, 1, 2), init_cfg=None):
        super().__init__(init_cfg=init_cfg)
        self.out_indices = out_indices
        self.stem = self._conv(in_channels, stem_channels, 2)
        self.layers = []
        c = stem_channels
        for i, out in enumerate(stage_channels):
            name = f'layer{i + 1}'
            self.add_module(name, nn.Sequential(self._conv(c, out, 2), self._conv(out, out, 1), SELayer(out)))
            self.layers.append(name)
            c = out
        print_log(f'SimpleBackbone with {len(stage_channels)} stages', logger='current')

    @staticmethod
    def _conv(c_in, c_out, stride):
        return nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True))

    def forward(self, x):
        x = self.stem(x)
        outs = []
        for i, name in enumerate(self.layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
