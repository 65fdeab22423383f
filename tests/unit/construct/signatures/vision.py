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


MODELS = (DiffusionUNet, ConditionedDenoiser, DiT, VQA, Captioner, C3D, CNNLSTM, FrameLoop, ConvLSTMCell)  # fmt: skip
