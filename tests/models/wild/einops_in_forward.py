# wild: einops is called inside forward and is not installed
# expect: message
# missing: einops
import torch
from einops import rearrange, repeat
from einops.layers.torch import Rearrange
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads=4, dim_head=32):
        super().__init__()
        self.heads = heads
        self.scale = dim_head ** -0.5
        self.norm = nn.LayerNorm(dim)
        self.to_qkv = nn.Linear(dim, heads * dim_head * 3, bias=False)
        self.to_out = nn.Linear(heads * dim_head, dim)

    def forward(self, x):
        qkv = self.to_qkv(self.norm(x)).chunk(3, dim=-1)
        q, k, v = map(lambda t: rearrange(t, 'b n (h d) -> b h n d', h=self.heads), qkv)
        attn = (q @ k.transpose(-1, -2) * self.scale).softmax(dim=-1)
        out = rearrange(attn @ v, 'b h n d -> b n (h d)')
        return self.to_out(out)


class TinyViT(nn.Module):
    def __init__(self, image_size=32, patch=8, num_classes=10, dim=96, depth=4, channels=3):
        super().__init__()
        n = (image_size // patch) ** 2
        self.to_patch = nn.Sequential(
            Rearrange('b c (h p1) (w p2) -> b (h w) (p1 p2 c)', p1=patch, p2=patch),
            nn.Linear(channels * patch * patch, dim),
        )
        self.pos = nn.Parameter(torch.randn(1, n + 1, dim) * 0.02)
        self.cls = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.blocks = nn.ModuleList([Attention(dim) for _ in range(depth)])
        self.head = nn.Linear(dim, num_classes)

    def forward(self, img):
        x = self.to_patch(img)
        cls = repeat(self.cls, '1 1 d -> b 1 d', b=x.shape[0])
        x = torch.cat([cls, x], dim=1) + self.pos
        for block in self.blocks:
            x = x + block(x)
        return self.head(x[:, 0])


if __name__ == '__main__':
    print(TinyViT()(torch.randn(2, 3, 32, 32)).shape)
