# wild: required constructor arguments, never called in the file (images)
# expect: checked
import torch
import torch.nn as nn


def conv3x3(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, 3, stride=stride, padding=1, bias=False)


class BasicUnit(nn.Module):
    def __init__(self, in_planes, planes, stride, drop_rate):
        super(BasicUnit, self).__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = conv3x3(in_planes, planes, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes)
        self.drop = nn.Dropout(drop_rate)
        self.equal = in_planes == planes and stride == 1
        self.shortcut = None if self.equal else nn.Conv2d(in_planes, planes, 1, stride=stride, bias=False)

    def forward(self, x):
        h = torch.relu(self.bn1(x))
        out = self.conv1(h)
        out = self.conv2(self.drop(torch.relu(self.bn2(out))))
        return out + (x if self.equal else self.shortcut(h))


class WideNet(nn.Module):
    """Wide residual network. depth must be 6n+4."""

    def __init__(self, in_channels, depth, widen_factor, num_classes, drop_rate):
        super(WideNet, self).__init__()
        assert (depth - 4) % 6 == 0, 'depth should be 6n+4'
        n = (depth - 4) // 6
        widths = [16, 16 * widen_factor, 32 * widen_factor, 64 * widen_factor]
        self.conv1 = conv3x3(in_channels, widths[0])
        stages = []
        for i in range(3):
            for j in range(n):
                stages.append(BasicUnit(widths[i] if j == 0 else widths[i + 1], widths[i + 1], 2 if i and j == 0 else 1, drop_rate))
        self.stages = nn.Sequential(*stages)
        self.bn = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], num_classes)

    def forward(self, x):
        x = self.stages(self.conv1(x))
        x = torch.relu(self.bn(x)).mean(dim=(2, 3))
        return self.fc(x)
