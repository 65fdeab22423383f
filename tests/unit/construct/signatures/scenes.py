"""Rays, points, capsules, detection."""

import torch
import torch.nn.functional as F
from torch import nn


class PointNet(nn.Module):
    """(B, 3, N)"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 16, 1)
        self.bn1 = nn.BatchNorm1d(16)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = torch.max(x, 2, keepdim=True)[0].view(-1, 16)
        return self.fc(x)


class PointMLP(nn.Module):
    """(B, N, 3)"""

    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 16))
        self.fc = nn.Linear(16, 10)

    def forward(self, xyz):
        B, N, C = xyz.shape
        feat = self.mlp(xyz)
        return self.fc(feat.max(dim=1)[0])


class NeRF(nn.Module):
    def __init__(self, D=4, W=32, input_ch=63, input_ch_views=27, skips=(2,)):
        super().__init__()
        self.input_ch, self.input_ch_views, self.skips = input_ch, input_ch_views, skips
        self.pts_linears = nn.ModuleList([nn.Linear(input_ch, W)] + [nn.Linear(W + input_ch if i in skips else W, W) for i in range(D - 1)])
        self.views_linears = nn.ModuleList([nn.Linear(input_ch_views + W, W // 2)])
        self.feature_linear = nn.Linear(W, W)
        self.alpha_linear = nn.Linear(W, 1)
        self.rgb_linear = nn.Linear(W // 2, 3)

    def forward(self, x):
        input_pts, input_views = torch.split(x, [self.input_ch, self.input_ch_views], dim=-1)
        h = input_pts
        for i, _ in enumerate(self.pts_linears):
            h = F.relu(self.pts_linears[i](h))
            if i in self.skips:
                h = torch.cat([input_pts, h], -1)
        alpha = self.alpha_linear(h)
        h = torch.cat([self.feature_linear(h), input_views], -1)
        for layer in self.views_linears:
            h = F.relu(layer(h))
        return torch.cat([self.rgb_linear(h), alpha], -1)


class TinyNeRF(nn.Module):
    def __init__(self, levels=10):
        super().__init__()
        self.levels = levels
        self.block = nn.Sequential(nn.Linear(levels * 6 + 3, 32), nn.ReLU(), nn.Linear(32, 32))
        self.rgb = nn.Sequential(nn.Linear(32 + 4 * 6 + 3, 16), nn.ReLU(), nn.Linear(16, 3))

    @staticmethod
    def positional_encoding(x, L):
        out = [x]
        for j in range(L):
            out.append(torch.sin(2**j * x))
            out.append(torch.cos(2**j * x))
        return torch.cat(out, dim=1)

    def forward(self, o, d):
        emb_x = self.positional_encoding(o, self.levels)
        emb_d = self.positional_encoding(d, 4)
        return self.rgb(torch.cat((self.block(emb_x), emb_d), dim=1))


class Siren(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 3))

    def forward(self, coords):
        coords = coords.clone().detach().requires_grad_(True)
        return self.net(coords), coords


class STN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.fc1 = nn.Linear(320, 10)
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, 7), nn.MaxPool2d(2, 2), nn.ReLU(True), nn.Conv2d(8, 10, 5), nn.MaxPool2d(2, 2), nn.ReLU(True)
        )
        self.fc_loc = nn.Sequential(nn.Linear(10 * 3 * 3, 32), nn.ReLU(True), nn.Linear(32, 6))

    def stn(self, x):
        xs = self.localization(x)
        xs = xs.view(-1, 10 * 3 * 3)
        theta = self.fc_loc(xs).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)

    def forward(self, x):
        x = self.stn(x)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return self.fc1(x.view(-1, 320))


class CapsNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 9)
        self.primary = nn.Conv2d(16, 8 * 4, 9, stride=2)
        self.W = nn.Parameter(0.01 * torch.randn(1, 10, 6 * 6 * 4, 16, 8))

    def forward(self, x):
        x = F.relu(self.conv1(x))
        u = self.primary(x)
        u = u.view(x.size(0), 6 * 6 * 4, 8)
        u = u[:, None, :, :, None]
        v = torch.matmul(self.W, u).squeeze(-1).sum(2)
        return v.norm(dim=-1)


class Detector(nn.Module):
    """One stage: a list of targets in training."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1))
        self.head = nn.Conv2d(16, 5, 1)

    def forward(self, images, targets=None):
        x = self.head(self.backbone(images))
        if self.training and targets is not None:
            return {"loss": sum(t["boxes"].sum() for t in targets) + x.sum()}
        return x


class CoordPositions(nn.Module):
    def __init__(self):
        super().__init__()
        self.row = nn.Embedding(50, 8)
        self.col = nn.Embedding(50, 8)
        self.conv = nn.Conv2d(3, 16, 4, 4)
        self.out = nn.Linear(16, 4)

    def forward(self, x):
        x = self.conv(x)
        h, w = x.shape[-2:]
        pos = torch.cat(
            [self.col(torch.arange(w)).unsqueeze(0).repeat(h, 1, 1), self.row(torch.arange(h)).unsqueeze(1).repeat(1, w, 1)], dim=-1
        )
        return self.out((x.permute(0, 2, 3, 1) + pos).mean((1, 2)))


class CheckedChannels(nn.Module):
    def __init__(self, in_ch=5):
        super().__init__()
        self.in_ch = in_ch
        self.blocks = nn.ModuleDict({"a": nn.Conv2d(in_ch, 8, 3, padding=1), "b": nn.Conv2d(8, 8, 3, padding=1)})
        self.head = nn.Linear(8, 2)

    def forward(self, x, return_features=False):
        assert x.dim() == 4, "expected a batch of images"
        assert x.shape[1] == self.in_ch
        for _, block in self.blocks.items():
            x = F.relu(block(x))
        features = x.mean((2, 3))
        return features if return_features else self.head(features)


MODELS = (PointNet, PointMLP, NeRF, TinyNeRF, Siren, STN, CapsNet, Detector, CoordPositions, CheckedChannels)  # fmt: skip
