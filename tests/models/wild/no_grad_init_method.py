# wild: @torch.no_grad() init method of the class, gain table, truncated normal on everything
# expect: checked
# parameters: 490372
import torch
import torch.nn as nn


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim, layer_scale=1e-6):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(layer_scale * torch.ones(dim), requires_grad=True)

    def forward(self, x):
        residual = x
        x = self.dwconv(x).permute(0, 2, 3, 1)
        x = self.pwconv2(self.act(self.pwconv1(self.norm(x))))
        return residual + (self.gamma * x).permute(0, 3, 1, 2)


class Isotropic(nn.Module):
    def __init__(self, in_chans=3, num_classes=100, depth=6, dim=96, patch=4, head_init_scale=1.0):
        super().__init__()
        self.stem = nn.Conv2d(in_chans, dim, kernel_size=patch, stride=patch)
        self.blocks = nn.Sequential(*[ConvNeXtBlock(dim) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_classes)
        self.init_weights()
        self.head.weight.data.mul_(head_init_scale)
        self.head.bias.data.mul_(head_init_scale)

    @torch.no_grad()
    def init_weights(self):
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(m.weight, std=.02)
                m.bias.zero_()

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.head(self.norm(x.mean([-2, -1])))


def isotropic_tiny(pretrained=False, **kwargs):
    model = Isotropic(depth=6, dim=96, **kwargs)
    if pretrained:
        url = "https://example.org/isotropic_tiny.pth"
        model.load_state_dict(torch.hub.load_state_dict_from_url(url, map_location="cpu")["model"])
    return model
