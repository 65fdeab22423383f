"""Images with something beside them, videos, point clouds, rays, detection, capsules."""

import torch
import torch.nn.functional as F
from torch import nn


class DiffusionUNet(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(dim, 64), nn.SiLU(), nn.Linear(64, 16))
        self.inc = nn.Conv2d(3, 16, 3, padding=1)
        self.out = nn.Conv2d(16, 3, 3, padding=1)
        self.dim = dim

    def pos_encoding(self, t, channels):
        inv_freq = 1.0 / (10000 ** (torch.arange(0, channels, 2).float() / channels))
        enc = t.repeat(1, channels // 2) * inv_freq
        return torch.cat([enc.sin(), enc.cos()], dim=-1)

    def forward(self, x, t):
        t = t.unsqueeze(-1).type(torch.float)
        t = self.time(self.pos_encoding(t, self.dim))
        return self.out(F.silu(self.inc(x) + t[:, :, None, None]))


class ConditionedDenoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.t_embed = nn.Linear(1, 32)
        self.cond_proj = nn.Linear(12, 32)
        self.x_proj = nn.Linear(2, 32)
        self.net = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, x, cond, t):
        h = self.x_proj(x) + self.cond_proj(cond) + self.t_embed(t[:, None].float() / 1000)
        return self.net(h)


class DiT(nn.Module):
    def __init__(self, n_classes=10):
        super().__init__()
        self.x_embedder = nn.Conv2d(4, 32, 2, 2)
        self.y_embedder = nn.Embedding(n_classes + 1, 32)
        self.t_embedder = nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 32))
        self.pos_embed = nn.Parameter(torch.randn(1, 64, 32) * 0.02)
        self.block = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.final = nn.Linear(32, 16)

    def forward(self, x, t, y):
        """
        x: (N, C, H, W) tensor of spatial inputs
        t: (N,) tensor of diffusion timesteps
        y: (N,) tensor of class labels
        """
        freqs = torch.exp(-torch.arange(8, dtype=torch.float32) / 8)
        args = t[:, None].float() * freqs[None]
        c = self.t_embedder(torch.cat([torch.cos(args), torch.sin(args)], -1)) + self.y_embedder(y)
        x = self.x_embedder(x).flatten(2).transpose(1, 2) + self.pos_embed
        return self.final(self.block(x + c[:, None]))


class VQA(nn.Module):
    """Image, question and its lengths."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.emb = nn.Embedding(100, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 24, batch_first=True)
        self.cls = nn.Linear(32, 10)

    def forward(self, v, q, q_len):
        packed = nn.utils.rnn.pack_padded_sequence(self.emb(q), q_len, batch_first=True, enforce_sorted=False)
        _, (_, c) = self.lstm(packed)
        return self.cls(torch.cat([self.cnn(v), c.squeeze(0)], dim=1))


class Captioner(nn.Module):
    """The decoder of show and tell: features of an encoder, captions, lengths."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.lstm = nn.LSTM(32, 16, 1, batch_first=True)
        self.linear = nn.Linear(16, 50)

    def forward(self, features, captions, lengths):
        embeddings = self.embed(captions)
        embeddings = torch.cat((features.unsqueeze(1), embeddings), 1)
        packed = nn.utils.rnn.pack_padded_sequence(embeddings, lengths, batch_first=True)
        hiddens, _ = self.lstm(packed)
        return self.linear(hiddens[0])


class C3D(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(3, 4, (3, 3, 3), padding=1)
        self.pool1 = nn.MaxPool3d((1, 2, 2), (1, 2, 2))
        self.conv2 = nn.Conv3d(4, 8, 3, padding=1)
        self.pool2 = nn.MaxPool3d(4, 4)
        self.fc6 = nn.Linear(8 * 4 * 14 * 14, 16)

    def forward(self, x):
        h = self.pool1(F.relu(self.conv1(x)))
        h = self.pool2(F.relu(self.conv2(h)))
        h = h.view(-1, 8 * 4 * 14 * 14)
        return self.fc6(h)


class CNNLSTM(nn.Module):
    """Videos as (batch, time, channels, height, width)."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        b, t, c, h, w = x.shape
        f = self.cnn(x.view(b * t, c, h, w)).view(b, t, -1)
        out, _ = self.lstm(f)
        return self.fc(out[:, -1])


class FrameLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2)
        self.lstm = nn.LSTM(8, 16)
        self.fc = nn.Linear(16, 5)

    def forward(self, x_3d):
        hidden = None
        for t in range(x_3d.size(1)):
            x = self.conv(x_3d[:, t, :, :, :]).mean((2, 3))
            out, hidden = self.lstm(x.unsqueeze(0), hidden)
        return self.fc(out[-1, :, :])


class ConvLSTMCell(nn.Module):
    def __init__(self, input_dim=3, hidden_dim=8):
        super().__init__()
        self.input_dim, self.hidden_dim = input_dim, hidden_dim
        self.conv = nn.Conv2d(input_dim + hidden_dim, 4 * hidden_dim, 3, padding=1)

    def forward(self, input_tensor, cur_state):
        h_cur, c_cur = cur_state
        combined = torch.cat([input_tensor, h_cur], dim=1)
        i, f, o, g = torch.split(self.conv(combined), self.hidden_dim, dim=1)
        c_next = torch.sigmoid(f) * c_cur + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c_next), c_next

    def init_hidden(self, batch_size, image_size):
        height, width = image_size
        return (torch.zeros(batch_size, self.hidden_dim, height, width), torch.zeros(batch_size, self.hidden_dim, height, width))


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


MODELS = (
    DiffusionUNet, ConditionedDenoiser, DiT, VQA, Captioner, C3D, CNNLSTM, FrameLoop, ConvLSTMCell, PointNet, PointMLP, NeRF, TinyNeRF,
    Siren, STN, CapsNet, Detector, CoordPositions, CheckedChannels,
)  # fmt: skip
