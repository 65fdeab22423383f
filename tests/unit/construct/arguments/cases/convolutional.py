"""Image classifiers as people write them."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

EXPRESSIONS = """ResNet(...)
CifarResNet(...)
WideResNet(...)
DenseNet(...)
VGG(...)
VGGByName(...)
VGGFeatures(...)
MobileNetV2(...)
InvertedResidual(...)
Inception(...)
SEBlock(...)
CBAM(...)
ResNeXtBlock(...)
ShuffleUnit(...)
LeNet(...)
""".splitlines()


def conv3x3(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, kernel_size=3, stride=stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.conv2 = conv3x3(planes, planes, stride)
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.downsample = downsample


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000):
        self.inplanes = 64
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], stride=2)
        self.layer3 = self._make_layer(block, 256, layers[2], stride=2)
        self.layer4 = self._make_layer(block, 512, layers[3], stride=2)
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, math.sqrt(2.0 / n))

    def _make_layer(self, block, planes, blocks, stride=1):
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                nn.Conv2d(self.inplanes, planes * block.expansion, 1, stride), nn.BatchNorm2d(planes * block.expansion)
            )
        layers = [block(self.inplanes, planes, stride, downsample)]
        self.inplanes = planes * block.expansion
        for i in range(1, blocks):
            layers.append(block(self.inplanes, planes))
        return nn.Sequential(*layers)


class CifarResNet(nn.Module):
    def __init__(self, depth, num_classes, block_name="BasicBlock"):
        super().__init__()
        if block_name.lower() == "basicblock":
            assert (depth - 2) % 6 == 0, "When use basicblock, depth should be 6n+2, e.g. 20, 32, 44, 56, 110, 1202"
            n = (depth - 2) // 6
            block = BasicBlock
        else:
            raise ValueError("block_name shoule be Basicblock or Bottleneck")
        self.inplanes = 16
        self.layers = nn.Sequential(*[block(16, 16) for _ in range(n)])
        self.fc = nn.Linear(64 * block.expansion, num_classes)


class WideBlock(nn.Module):
    def __init__(self, in_planes, out_planes, stride, dropRate=0.0):
        super().__init__()
        self.conv = conv3x3(in_planes, out_planes, stride)
        self.droprate = dropRate


class NetworkBlock(nn.Module):
    def __init__(self, nb_layers, in_planes, out_planes, block, stride, dropRate=0.0):
        super().__init__()
        self.layer = nn.Sequential(
            *[block(i == 0 and in_planes or out_planes, out_planes, i == 0 and stride or 1, dropRate) for i in range(int(nb_layers))]
        )


class WideResNet(nn.Module):
    def __init__(self, depth, num_classes, widen_factor, dropRate=0.0):
        super().__init__()
        nChannels = [16, 16 * widen_factor, 32 * widen_factor, 64 * widen_factor]
        assert (depth - 4) % 6 == 0
        n = (depth - 4) / 6
        self.conv1 = conv3x3(3, nChannels[0])
        self.block1 = NetworkBlock(n, nChannels[0], nChannels[1], WideBlock, 1, dropRate)
        self.block2 = NetworkBlock(n, nChannels[1], nChannels[2], WideBlock, 2, dropRate)
        self.fc = nn.Linear(nChannels[3], num_classes)


class DenseLayer(nn.Module):
    def __init__(self, num_input_features, growth_rate, bn_size, drop_rate):
        super().__init__()
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, 1)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, 3, padding=1)
        self.drop_rate = float(drop_rate)


class DenseNet(nn.Module):
    def __init__(self, growth_rate, block_config, num_init_features, bn_size, drop_rate, num_classes):
        super().__init__()
        self.conv0 = nn.Conv2d(3, num_init_features, 7, 2, 3)
        num_features = num_init_features
        blocks = []
        for i, num_layers in enumerate(block_config):
            for j in range(num_layers):
                blocks.append(DenseLayer(num_features + j * growth_rate, growth_rate, bn_size, drop_rate))
            num_features = num_features + num_layers * growth_rate
            if i != len(block_config) - 1:
                num_features = num_features // 2
        self.blocks = nn.ModuleList(blocks)
        self.classifier = nn.Linear(num_features, num_classes)


class VGG(nn.Module):
    def __init__(self, cfg, num_classes, batch_norm):
        super().__init__()
        layers, in_channels = [], 3
        for v in cfg:
            if v == "M":
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers.append(nn.Conv2d(in_channels, v, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(v))
                layers.append(nn.ReLU(inplace=True))
                in_channels = v
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(in_channels, num_classes)


cfgs = {"VGG11": [64, "M", 128, "M", 256, 256, "M"], "VGG13": [64, 64, "M", 128, 128, "M"]}


def make_layers(cfg):
    layers, c = [], 3
    for x in cfg:
        layers += [nn.MaxPool2d(2)] if x == "M" else [nn.Conv2d(c, x, 3, padding=1), nn.ReLU()]
        c = c if x == "M" else x
    return nn.Sequential(*layers)


class VGGByName(nn.Module):
    def __init__(self, vgg_name):
        super().__init__()
        self.features = self._make_layers(cfgs[vgg_name])
        self.classifier = nn.Linear(512, 10)

    def _make_layers(self, cfg):
        return make_layers(cfg)


class VGGFeatures(nn.Module):
    def __init__(self, features, num_classes=1000):
        super().__init__()
        self.features = features
        self.classifier = nn.Linear(512 * 7 * 7, num_classes)

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class InvertedResidual(nn.Module):
    def __init__(self, inp, oup, stride, expand_ratio):
        super().__init__()
        assert stride in [1, 2]
        hidden_dim = int(round(inp * expand_ratio))
        self.use_res_connect = stride == 1 and inp == oup
        self.conv = nn.Sequential(
            nn.Conv2d(inp, hidden_dim, 1), nn.Conv2d(hidden_dim, hidden_dim, 3, stride, 1, groups=hidden_dim), nn.Conv2d(hidden_dim, oup, 1)
        )


class MobileNetV2(nn.Module):
    def __init__(self, num_classes, width_mult, inverted_residual_setting, round_nearest):
        super().__init__()
        input_channel = int(32 * width_mult)
        if len(inverted_residual_setting) == 0 or len(inverted_residual_setting[0]) != 4:
            raise ValueError(f"inverted_residual_setting should be non-empty or a 4-element list, got {inverted_residual_setting}")
        features = [nn.Conv2d(3, input_channel, 3, 2, 1)]
        for t, c, n, s in inverted_residual_setting:
            output_channel = int(math.ceil(c * width_mult / round_nearest) * round_nearest)
            for i in range(n):
                features.append(InvertedResidual(input_channel, output_channel, s if i == 0 else 1, expand_ratio=t))
                input_channel = output_channel
        self.features = nn.Sequential(*features)
        self.classifier = nn.Linear(input_channel, num_classes)


class Inception(nn.Module):
    def __init__(self, in_planes, n1x1, n3x3red, n3x3, n5x5red, n5x5, pool_planes):
        super().__init__()
        self.b1 = nn.Conv2d(in_planes, n1x1, kernel_size=1)
        self.b2 = nn.Sequential(nn.Conv2d(in_planes, n3x3red, 1), nn.Conv2d(n3x3red, n3x3, 3, padding=1))
        self.b3 = nn.Sequential(nn.Conv2d(in_planes, n5x5red, 1), nn.Conv2d(n5x5red, n5x5, 5, padding=2))
        self.b4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(in_planes, pool_planes, 1))


class SEBlock(nn.Module):
    def __init__(self, channel, reduction):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channel, channel // reduction, bias=False), nn.ReLU(), nn.Linear(channel // reduction, channel))


class CBAM(nn.Module):
    def __init__(self, gate_channels, reduction_ratio, pool_types):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(gate_channels, gate_channels // reduction_ratio), nn.ReLU())
        self.pool_types = pool_types

    def forward(self, x):
        for pool_type in self.pool_types:
            if pool_type == "avg":
                x = F.avg_pool2d(x, 2)
            elif pool_type == "max":
                x = F.max_pool2d(x, 2)
        return x


class ResNeXtBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride, cardinality, base_width, widen_factor):
        super().__init__()
        width_ratio = out_channels / (widen_factor * 64.0)
        D = cardinality * int(base_width * width_ratio)
        self.conv_reduce = nn.Conv2d(in_channels, D, 1)
        self.conv_conv = nn.Conv2d(D, D, 3, stride, 1, groups=cardinality)


class ShuffleUnit(nn.Module):
    def __init__(self, inp, oup, stride, groups):
        super().__init__()
        if not (1 <= stride <= 3):
            raise ValueError("illegal stride value")
        assert oup % groups == 0
        self.conv = nn.Conv2d(inp, oup // 2, 1, groups=groups)
        self.dw = nn.Conv2d(oup // 2, oup // 2, 3, stride, 1, groups=oup // 2)


class LeNet(nn.Module):
    def __init__(self, n_channels, img_size, n_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(n_channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        side = ((img_size - 4) // 2 - 4) // 2
        self.fc1 = nn.Linear(16 * side * side, 120)
        self.fc2 = nn.Linear(120, n_classes)
