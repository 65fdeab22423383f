"""A second set, written after the search."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class SuperResolution(nn.Module):
    def __init__(self, upscale_factor=3):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, (5, 5), (1, 1), (2, 2))
        self.conv2 = nn.Conv2d(16, upscale_factor**2, 3, 1, 1)
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)

    def forward(self, x):
        return self.pixel_shuffle(self.conv2(F.relu(self.conv1(x))))


class TransformerNet(nn.Module):
    """Style transfer: reflection padding and instance norm."""

    def __init__(self):
        super().__init__()
        self.pad = nn.ReflectionPad2d(4)
        self.conv = nn.Conv2d(3, 8, 9)
        self.norm = nn.InstanceNorm2d(8, affine=True)
        self.down = nn.Conv2d(8, 16, 3, 2, 1)
        self.out = nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, X):
        y = F.relu(self.norm(self.conv(self.pad(X))))
        return self.out(F.interpolate(self.down(y), scale_factor=2))


class YoloGrid(nn.Module):
    def __init__(self, S=7, B=2, C=20):
        super().__init__()
        self.S, self.B, self.C = S, B, C
        self.features = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.MaxPool2d(2, 2), nn.Conv2d(8, 16, 3, padding=1), nn.MaxPool2d(2, 2),
                                      nn.Conv2d(16, 16, 3, 2, 1), nn.MaxPool2d(2, 2), nn.Conv2d(16, 16, 3, 2, 1))  # fmt: skip
        self.fcs = nn.Sequential(nn.Flatten(), nn.Linear(16 * S * S, 64), nn.LeakyReLU(0.1), nn.Linear(64, S * S * (C + B * 5)))

    def forward(self, x):
        x = self.features(x)
        return self.fcs(torch.flatten(x, start_dim=1)).view(-1, self.S, self.S, self.C + self.B * 5)


class FacePair(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 16, 10), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 7), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(16, 16, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 4), nn.ReLU())  # fmt: skip
        self.liner = nn.Sequential(nn.Linear(32 * 6 * 6, 64), nn.Sigmoid())
        self.out = nn.Linear(64, 1)

    def forward_one(self, x):
        x = self.conv(x)
        x = x.view(x.size()[0], -1)
        return self.liner(x)

    def forward(self, x1, x2):
        return self.out(torch.abs(self.forward_one(x1) - self.forward_one(x2)))


class RelationNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(128, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2))
        self.layer2 = nn.Sequential(nn.Conv2d(64, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2))
        self.fc1, self.fc2 = nn.Linear(64 * 3 * 3, 8), nn.Linear(8, 1)

    def forward(self, x):
        out = self.layer2(self.layer1(x))
        out = out.view(out.size(0), -1)
        return torch.sigmoid(self.fc2(F.relu(self.fc1(out))))


class AudioCNN(nn.Module):
    """Mel spectrograms of 64 x 44."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(1, 16, 3, 1, 2), nn.ReLU(), nn.MaxPool2d(2))
        self.conv2 = nn.Sequential(nn.Conv2d(16, 32, 3, 1, 2), nn.ReLU(), nn.MaxPool2d(2))
        self.conv3 = nn.Sequential(nn.Conv2d(32, 64, 3, 1, 2), nn.ReLU(), nn.MaxPool2d(2))
        self.conv4 = nn.Sequential(nn.Conv2d(64, 128, 3, 1, 2), nn.ReLU(), nn.MaxPool2d(2))
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(128 * 5 * 4, 10)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, input_data):
        x = self.conv4(self.conv3(self.conv2(self.conv1(input_data))))
        return self.softmax(self.linear(self.flatten(x)))


class EEGNet(nn.Module):
    """120 samples of 64 electrodes as a picture."""

    def __init__(self, T=120):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, (1, 64), padding=0)
        self.batchnorm1 = nn.BatchNorm2d(16)
        self.padding1 = nn.ZeroPad2d((16, 17, 0, 1))
        self.conv2 = nn.Conv2d(1, 4, (2, 32))
        self.pooling2 = nn.MaxPool2d(2, 4)
        self.padding2 = nn.ZeroPad2d((2, 1, 4, 3))
        self.conv3 = nn.Conv2d(4, 4, (8, 4))
        self.pooling3 = nn.MaxPool2d((2, 4))
        self.fc1 = nn.Linear(4 * 2 * 7, 1)

    def forward(self, x):
        x = self.batchnorm1(F.elu(self.conv1(x)))
        x = x.permute(0, 3, 1, 2)
        x = self.pooling2(F.elu(self.conv2(self.padding1(x))))
        x = self.pooling3(F.elu(self.conv3(self.padding2(x))))
        return torch.sigmoid(self.fc1(x.reshape(-1, 4 * 2 * 7)))


class WaveNetStack(nn.Module):
    """One-hot quantised waves, conditioned."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(256, 16, 1)
        self.cond = nn.Conv1d(80, 16, 1)
        self.gate = nn.Conv1d(16, 32, 2, padding=1)
        self.out = nn.Conv1d(16, 256, 1)

    def forward(self, x, c):
        h = self.first(x) + self.cond(c)
        a, b = self.gate(h)[:, :, :-1].chunk(2, dim=1)
        return self.out(torch.tanh(a) * torch.sigmoid(b))


class Vocoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.pre = nn.utils.parametrizations.weight_norm(nn.Conv1d(80, 32, 7, 1, 3))
        self.up = nn.ModuleList([nn.ConvTranspose1d(32, 16, 8, 4, 2), nn.ConvTranspose1d(16, 8, 8, 4, 2)])
        self.post = nn.Conv1d(8, 1, 7, 1, 3)

    def forward(self, mel):
        x = self.pre(mel)
        for up in self.up:
            x = up(F.leaky_relu(x, 0.1))
        return torch.tanh(self.post(x))


class ScoreNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("W", torch.randn(16) * 30)
        self.embed = nn.Linear(32, 32)
        self.conv1 = nn.Conv2d(1, 8, 3, stride=1, bias=False)
        self.dense1 = nn.Linear(32, 8)
        self.tconv1 = nn.ConvTranspose2d(8, 1, 3, stride=1)

    def forward(self, x, t):
        proj = t[:, None] * self.W[None, :] * 2 * math.pi
        embed = F.silu(self.embed(torch.cat([torch.sin(proj), torch.cos(proj)], dim=-1)))
        h = self.conv1(x) + self.dense1(embed)[..., None, None]
        return self.tconv1(F.silu(h))


class ContextUNet(nn.Module):
    """Classes as one-hot codes, times in [0, 1], a mask of the context."""

    def __init__(self, classes=10):
        super().__init__()
        self.n_classes = classes
        self.down = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU())
        self.timeembed = nn.Sequential(nn.Linear(1, 16), nn.GELU())
        self.contextembed = nn.Sequential(nn.Linear(classes, 16), nn.GELU())
        self.up = nn.ConvTranspose2d(16, 1, 2, 2)

    def forward(self, x, c, t, context_mask):
        c = F.one_hot(c, num_classes=self.n_classes).float()
        c = c * (-1 * (1 - context_mask[:, None].repeat(1, self.n_classes)))
        h = self.down(x)
        temb = self.timeembed(t.view(-1, 1)).view(-1, 16, 1, 1)
        return self.up(h * self.contextembed(c).view(-1, 16, 1, 1) + temb)


class MAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Conv2d(3, 24, 16, 16)
        self.pos_embed = nn.Parameter(torch.zeros(1, 196, 24), requires_grad=False)
        self.block = nn.TransformerEncoderLayer(24, 3, 48, batch_first=True)

    def forward(self, imgs, mask_ratio=0.75):
        x = self.proj(imgs).flatten(2).transpose(1, 2) + self.pos_embed
        keep = int(x.shape[1] * (1 - mask_ratio))
        ids = torch.rand(x.shape[:2]).argsort(1)[:, :keep]
        return self.block(torch.gather(x, 1, ids.unsqueeze(-1).expand(-1, -1, x.shape[2])))


MODELS = (SuperResolution, TransformerNet, YoloGrid, FacePair, RelationNet, AudioCNN, EEGNet, WaveNetStack, Vocoder, ScoreNet, ContextUNet, MAE)  # fmt: skip
