# wild: diffusion U-Net forward(x, t) with integer timesteps, zero-initialised last convolution
# expect: checked
# parameters: 973859
import math
import copy
from pathlib import Path
from functools import partial

import torch
from torch import nn
import torch.nn.functional as F
from tqdm.auto import tqdm


def exists(x):
    return x is not None


class SinusoidalPosEmb(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, t):
        half = self.dim // 2
        freq = torch.exp(torch.arange(half, device=t.device) * -(math.log(10000) / (half - 1)))
        emb = t[:, None].float() * freq[None, :]
        return torch.cat((emb.sin(), emb.cos()), dim=-1)


class ResBlock(nn.Module):
    def __init__(self, dim_in, dim_out, time_dim, groups=8):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_dim, dim_out * 2))
        self.norm1, self.conv1 = nn.GroupNorm(groups, dim_in), nn.Conv2d(dim_in, dim_out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(groups, dim_out), nn.Conv2d(dim_out, dim_out, 3, padding=1)
        self.res = nn.Conv2d(dim_in, dim_out, 1) if dim_in != dim_out else nn.Identity()
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x, t):
        scale, shift = self.mlp(t)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return self.conv2(F.silu(h)) + self.res(x)


class Unet(nn.Module):
    def __init__(self, dim=32, channels=3, dim_mults=(1, 2, 4)):
        super().__init__()
        time_dim = dim * 4
        self.time = nn.Sequential(SinusoidalPosEmb(dim), nn.Linear(dim, time_dim), nn.GELU(), nn.Linear(time_dim, time_dim))
        self.init_conv = nn.Conv2d(channels, dim, 7, padding=3)
        dims = [dim * m for m in dim_mults]
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for a, b in zip(dims[:-1], dims[1:]):
            self.downs.append(nn.ModuleList([ResBlock(a, a, time_dim), nn.Conv2d(a, b, 4, 2, 1)]))
            self.ups.insert(0, nn.ModuleList([nn.ConvTranspose2d(b, a, 4, 2, 1), ResBlock(2 * a, a, time_dim)]))
        self.mid = ResBlock(dims[-1], dims[-1], time_dim)
        self.final = nn.Conv2d(dim, channels, 1)

    def forward(self, x, time):
        t = self.time(time)
        x, skips = self.init_conv(x), []
        for block, down in self.downs:
            x = block(x, t)
            skips.append(x)
            x = down(x)
        x = self.mid(x, t)
        for up, block in self.ups:
            x = block(torch.cat([up(x), skips.pop()], dim=1), t)
        return self.final(x)


class Trainer:
    def __init__(self, model, folder, *, ema_decay=0.995, results_folder='./results'):
        self.model, self.ema = model, copy.deepcopy(model)
        self.results = Path(results_folder)
        self.results.mkdir(exist_ok=True)
        self.betas = torch.linspace(1e-4, 0.02, 1000)

    def train(self, steps):
        for _ in tqdm(range(steps)):
            raise NotImplementedError


if __name__ == '__main__':
    model = Unet(dim=32, dim_mults=(1, 2, 4)).cuda()
    Trainer(model, '/data/celeba').train(100000)
