"""More image models."""

import torch
import torch.nn as nn

EXPRESSIONS = """SimpleCNN(...)
AlexNet(num_classes=...)
EfficientBlock(...)
PreActResNet(PreActBlock, ..., 10)
ConvNeXtBlock(...)
UNet(...)
UNetDeep(...)
AttentionGate(...)
ASPP(...)
SegNet(...)
YOLOHead(...)
DetectorBackbone(...)
TemporalConvNet(...)
TextCNN(...)
SRResNet(...)
EDSR(...)
Siamese(...)
CapsNet(...)
CapsNetOpts(...)
FPN(...)
""".splitlines()


class SimpleCNN(nn.Module):
    def __init__(self, input_shape, num_filters, kernel_size, n_classes, activation):
        super().__init__()
        self.conv = nn.Conv2d(input_shape[0], num_filters, kernel_size, padding=kernel_size // 2)
        if activation == "relu":
            self.act = nn.ReLU()
        elif activation == "tanh":
            self.act = nn.Tanh()
        else:
            raise ValueError(f"unknown activation: {activation}")
        with torch.no_grad():
            flat = self.act(self.conv(torch.zeros(1, *input_shape))).flatten(1).shape[1]
        self.fc = nn.Linear(flat, n_classes)


class AlexNet(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.classifier = nn.Linear(64, num_classes)


class EfficientBlock(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride, expand_ratio, se_ratio, drop_connect_rate, norm_layer, act_layer):
        super().__init__()
        hidden = in_channels * expand_ratio
        self.expand = nn.Sequential(nn.Conv2d(in_channels, hidden, 1), norm_layer(hidden), act_layer(inplace=True))
        self.dw = nn.Conv2d(hidden, hidden, kernel_size, stride, kernel_size // 2, groups=hidden)
        self.se = nn.Conv2d(hidden, max(1, int(in_channels // se_ratio)), 1)
        self.project = nn.Conv2d(hidden, out_channels, 1)


class PreActBlock(nn.Module):
    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(in_planes, planes, 3, stride, 1)


class PreActResNet(nn.Module):
    def __init__(self, block, num_blocks, num_classes):
        super().__init__()
        self.in_planes = 64
        self.layer1 = self._make_layer(block, 64, num_blocks[0], stride=1)
        self.layer2 = self._make_layer(block, 128, num_blocks[1], stride=2)
        self.linear = nn.Linear(128 * block.expansion, num_classes)

    def _make_layer(self, block, planes, num_blocks, stride):
        strides = [stride] + [1] * (num_blocks - 1)
        layers = []
        for s in strides:
            layers.append(block(self.in_planes, planes, s))
            self.in_planes = planes * block.expansion
        return nn.Sequential(*layers)


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim, drop_path, layer_scale_init_value):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.gamma = nn.Parameter(layer_scale_init_value * torch.ones(dim)) if layer_scale_init_value > 0 else None
        self.drop_path = nn.Dropout(drop_path) if drop_path > 0.0 else nn.Identity()


class DoubleConv(nn.Module):
    def __init__(self, in_ch, out_ch):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(in_ch, out_ch, 3, padding=1), nn.BatchNorm2d(out_ch), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self, n_channels, n_classes, bilinear):
        super().__init__()
        self.inc = DoubleConv(n_channels, 64)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear") if bilinear else nn.ConvTranspose2d(64, 64, 2, stride=2)
        self.outc = nn.Conv2d(64, n_classes, 1)


class UNetDeep(nn.Module):
    def __init__(self, in_channels, n_classes, depth, wf, padding, batch_norm, up_mode):
        super().__init__()
        assert up_mode in ("upconv", "upsample")
        prev_channels = in_channels
        self.down_path = nn.ModuleList()
        for i in range(depth):
            self.down_path.append(nn.Conv2d(prev_channels, 2 ** (wf + i), 3, padding=int(padding)))
            prev_channels = 2 ** (wf + i)
        self.last = nn.Conv2d(prev_channels, n_classes, 1)


class AttentionGate(nn.Module):
    def __init__(self, F_g, F_l, F_int):
        super().__init__()
        self.W_g = nn.Sequential(nn.Conv2d(F_g, F_int, 1), nn.BatchNorm2d(F_int))
        self.W_x = nn.Sequential(nn.Conv2d(F_l, F_int, 1), nn.BatchNorm2d(F_int))


class ASPP(nn.Module):
    def __init__(self, in_channels, atrous_rates, out_channels):
        super().__init__()
        rate1, rate2, rate3 = tuple(atrous_rates)
        self.convs = nn.ModuleList([nn.Conv2d(in_channels, out_channels, 3, padding=r, dilation=r) for r in (rate1, rate2, rate3)])


class SegNet(nn.Module):
    def __init__(self, classes, channels, features):
        super().__init__()
        self.downs = nn.ModuleList()
        for feature in features:
            self.downs.append(DoubleConv(channels, feature))
            channels = feature
        self.bottleneck = DoubleConv(features[-1], features[-1] * 2)
        self.head = nn.Conv2d(features[0], classes, 1)


class YOLOHead(nn.Module):
    def __init__(self, anchors, num_classes, img_dim, nc_in):
        super().__init__()
        self.anchors = torch.tensor(anchors).float().view(-1, 2)
        self.num_anchors = len(anchors)
        self.conv = nn.Conv2d(nc_in, self.num_anchors * (5 + num_classes), 1)


class ResBackbone(nn.Module):
    def __init__(self, in_channels, base):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, base, 7, 2, 3)
        self.out_channels = base


class DetectorBackbone(nn.Module):
    def __init__(self, backbone, num_classes, anchor_sizes):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Conv2d(backbone.out_channels, num_classes * len(anchor_sizes), 3)

    def forward(self, x):
        return self.head(self.backbone(x))


class TemporalBlock(nn.Module):
    def __init__(self, n_inputs, n_outputs, kernel_size, stride, dilation, padding, dropout=0.2):
        super().__init__()
        self.conv1 = nn.utils.parametrizations.weight_norm(nn.Conv1d(n_inputs, n_outputs, kernel_size, stride, padding, dilation))


class TemporalConvNet(nn.Module):
    def __init__(self, num_inputs, num_channels, kernel_size=2, dropout=0.2):
        super().__init__()
        layers = []
        num_levels = len(num_channels)
        for i in range(num_levels):
            in_channels = num_inputs if i == 0 else num_channels[i - 1]
            layers.append(TemporalBlock(in_channels, num_channels[i], kernel_size, 1, 2**i, (kernel_size - 1) * 2**i, dropout))
        self.network = nn.Sequential(*layers)


class TextCNN(nn.Module):
    def __init__(self, vocab_size, embedding_dim, n_filters, filter_sizes, output_dim, dropout, pad_idx):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=pad_idx)
        self.convs = nn.ModuleList([nn.Conv2d(1, n_filters, (fs, embedding_dim)) for fs in filter_sizes])
        self.fc = nn.Linear(len(filter_sizes) * n_filters, output_dim)
        self.dropout = nn.Dropout(dropout)


class SRResNet(nn.Module):
    def __init__(self, scale_factor):
        super().__init__()
        import math

        blocks = int(math.log(scale_factor, 2))
        self.up = nn.Sequential(*[nn.Conv2d(64, 256, 3, padding=1) for _ in range(blocks)])


class EDSR(nn.Module):
    def __init__(self, args, conv=nn.Conv2d):
        super().__init__()
        n_resblocks = args.n_resblocks
        n_feats = args.n_feats
        scale = args.scale[0]
        self.sub_mean = args.rgb_range
        self.head = conv(args.n_colors, n_feats, 3, padding=1)
        self.body = nn.Sequential(*[conv(n_feats, n_feats, 3, padding=1) for _ in range(n_resblocks)])
        self.tail = conv(n_feats, args.n_colors * scale**2, 3, padding=1)


class Siamese(nn.Module):
    def __init__(self, embedding_net):
        super().__init__()
        self.embedding_net = embedding_net

    def forward(self, x1, x2):
        return self.embedding_net(x1), self.embedding_net(x2)


class EmbeddingNet(nn.Module):
    def __init__(self, embed_dim):
        super().__init__()
        self.fc = nn.Linear(784, embed_dim)


class CapsuleLayer(nn.Module):
    def __init__(self, num_capsules, num_route_nodes, in_channels, out_channels):
        super().__init__()
        self.route_weights = nn.Parameter(torch.randn(num_capsules, num_route_nodes, in_channels, out_channels))


class CapsNet(nn.Module):
    def __init__(self, input_size, classes, routings):
        super().__init__()
        self.conv1 = nn.Conv2d(input_size[0], 256, 9)
        self.caps = CapsuleLayer(classes, 32, 8, 16)
        self.decoder = nn.Sequential(nn.Linear(16 * classes, 512), nn.Linear(512, input_size[0] * input_size[1] * input_size[2]))
        self.routings = routings


class CapsNetOpts(nn.Module):
    def __init__(self, opts):
        super().__init__()
        self.opts = opts
        self.caps = CapsuleLayer(opts.num_classes, opts.num_routes, opts.primary_dim, opts.digit_dim)
        if opts.use_reconstruction:
            self.rec = nn.Linear(opts.digit_dim, opts.image_size**2)


class FPN(nn.Module):
    def __init__(self, in_channels_list, out_channels, extra_blocks=None):
        super().__init__()
        self.inner = nn.ModuleList()
        for in_channels in in_channels_list:
            if in_channels == 0:
                raise ValueError("in_channels=0 is currently not supported")
            self.inner.append(nn.Conv2d(in_channels, out_channels, 1))
