# wild: NeRF MLP with positional encoding, skips, input_ch=3 arguments, chunked run_network
# expect: checked
# parameters: 158660
import os
import imageio
import numpy as np
import torch
torch.autograd.set_detect_anomaly(False)
import torch.nn as nn
import torch.nn.functional as F

# Misc
img2mse = lambda x, y: torch.mean((x - y) ** 2)
mse2psnr = lambda x: -10. * torch.log(x) / torch.log(torch.Tensor([10.]))
to8b = lambda x: (255 * np.clip(x, 0, 1)).astype(np.uint8)


class Embedder:
    def __init__(self, multires, input_dims=3):
        self.freqs = 2. ** torch.linspace(0., multires - 1, steps=multires)
        self.out_dim = input_dims * (1 + 2 * multires)

    def embed(self, x):
        return torch.cat([x] + [fn(x * f) for f in self.freqs for fn in (torch.sin, torch.cos)], -1)


embed_fn = Embedder(10)
embeddirs_fn = Embedder(4)


class NeRF(nn.Module):
    def __init__(self, D=8, W=128, input_ch=3, input_ch_views=3, output_ch=4, skips=[4], use_viewdirs=False):
        super(NeRF, self).__init__()
        self.D = D
        self.W = W
        self.input_ch = input_ch
        self.input_ch_views = input_ch_views
        self.skips = skips
        self.use_viewdirs = use_viewdirs
        self.pts_linears = nn.ModuleList(
            [nn.Linear(input_ch, W)] + [nn.Linear(W, W) if i not in self.skips else nn.Linear(W + input_ch, W) for i in range(D - 1)])
        self.views_linears = nn.ModuleList([nn.Linear(input_ch_views + W, W // 2)])
        if use_viewdirs:
            self.feature_linear = nn.Linear(W, W)
            self.alpha_linear = nn.Linear(W, 1)
            self.rgb_linear = nn.Linear(W // 2, 3)
        else:
            self.output_linear = nn.Linear(W, output_ch)

    def forward(self, x):
        input_pts, input_views = torch.split(x, [self.input_ch, self.input_ch_views], dim=-1)
        h = input_pts
        for i, l in enumerate(self.pts_linears):
            h = F.relu(self.pts_linears[i](h))
            if i in self.skips:
                h = torch.cat([input_pts, h], -1)
        if self.use_viewdirs:
            alpha = self.alpha_linear(h)
            h = torch.cat([self.feature_linear(h), input_views], -1)
            for l in self.views_linears:
                h = F.relu(l(h))
            return torch.cat([self.rgb_linear(h), alpha], -1)
        return self.output_linear(h)


def run_network(inputs, viewdirs, fn, netchunk=1024 * 64):
    flat = torch.cat([embed_fn.embed(inputs.view(-1, 3)), embeddirs_fn.embed(viewdirs.view(-1, 3))], -1)
    return torch.cat([fn(flat[i:i + netchunk]) for i in range(0, flat.shape[0], netchunk)], 0)


def create_nerf(args):
    model = NeRF(input_ch=embed_fn.out_dim, input_ch_views=embeddirs_fn.out_dim, use_viewdirs=True).cuda()
    ckpts = sorted(f for f in os.listdir(os.path.join(args.basedir, args.expname)) if 'tar' in f)
    print('Found ckpts', ckpts)
    return model


torch.set_default_dtype(torch.float32)
coarse = NeRF(input_ch=embed_fn.out_dim, input_ch_views=embeddirs_fn.out_dim, use_viewdirs=True)
