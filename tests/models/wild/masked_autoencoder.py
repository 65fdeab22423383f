# wild: masked autoencoder, forward(imgs, mask_ratio=0.75), random masking, fixed sin-cos positions, xavier as uniform
# expect: checked
import numpy as np
import torch
import torch.nn as nn


def get_1d_sincos(dim, n):
    omega = 1.0 / 10000 ** (np.arange(dim // 2, dtype=float) / (dim / 2.0))
    out = np.einsum('m,d->md', np.arange(n), omega)
    return np.concatenate([np.sin(out), np.cos(out)], axis=1)


class MaskedAutoencoder(nn.Module):
    def __init__(self, img_size=64, patch_size=8, in_chans=3, embed_dim=128, depth=3, num_heads=4,
                 decoder_embed_dim=64, decoder_depth=1, decoder_num_heads=4, norm_pix_loss=False):
        super().__init__()
        self.p = patch_size
        n = (img_size // patch_size) ** 2
        self.patch_embed = nn.Conv2d(in_chans, embed_dim, patch_size, patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, n + 1, embed_dim), requires_grad=False)
        def stack(d, h, k):
            return nn.Sequential(*[nn.TransformerEncoderLayer(d, h, 4 * d, 0.0, 'gelu', batch_first=True, norm_first=True) for _ in range(k)])
        self.blocks, self.norm = stack(embed_dim, num_heads, depth), nn.LayerNorm(embed_dim)
        self.decoder_embed = nn.Linear(embed_dim, decoder_embed_dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_embed_dim))
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, n + 1, decoder_embed_dim), requires_grad=False)
        self.decoder_blocks, self.decoder_norm = stack(decoder_embed_dim, decoder_num_heads, decoder_depth), nn.LayerNorm(decoder_embed_dim)
        self.decoder_pred = nn.Linear(decoder_embed_dim, patch_size ** 2 * in_chans)
        self.norm_pix_loss = norm_pix_loss
        self.initialize_weights()

    def initialize_weights(self):
        for p in (self.pos_embed, self.decoder_pos_embed):
            p.data.copy_(torch.from_numpy(get_1d_sincos(p.shape[-1], p.shape[1])).float().unsqueeze(0))
        w = self.patch_embed.weight.data
        torch.nn.init.xavier_uniform_(w.view([w.shape[0], -1]))
        torch.nn.init.normal_(self.cls_token, std=.02)
        torch.nn.init.normal_(self.mask_token, std=.02)
        self.apply(self._init_weights)

    def _init_weights(self, m):
        if isinstance(m, nn.Linear):
            torch.nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.constant_(m.bias, 0)

    def random_masking(self, x, mask_ratio):
        N, L, D = x.shape
        len_keep = int(L * (1 - mask_ratio))
        ids_shuffle = torch.argsort(torch.rand(N, L, device=x.device), dim=1)
        ids_restore = torch.argsort(ids_shuffle, dim=1)
        x_masked = torch.gather(x, 1, ids_shuffle[:, :len_keep].unsqueeze(-1).repeat(1, 1, D))
        mask = torch.ones([N, L], device=x.device)
        mask[:, :len_keep] = 0
        return x_masked, torch.gather(mask, 1, ids_restore), ids_restore

    def forward(self, imgs, mask_ratio=0.75):
        x = self.patch_embed(imgs).flatten(2).transpose(1, 2) + self.pos_embed[:, 1:]
        x, mask, ids = self.random_masking(x, mask_ratio)
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(x.shape[0], -1, -1)
        x = self.decoder_embed(self.norm(self.blocks(torch.cat([cls, x], 1))))
        fill = self.mask_token.repeat(x.shape[0], ids.shape[1] + 1 - x.shape[1], 1)
        y = torch.gather(torch.cat([x[:, 1:], fill], 1), 1, ids.unsqueeze(-1).repeat(1, 1, x.shape[2]))
        y = torch.cat([x[:, :1], y], 1) + self.decoder_pos_embed
        pred = self.decoder_pred(self.decoder_norm(self.decoder_blocks(y)))[:, 1:]
        target = imgs.unfold(2, self.p, self.p).unfold(3, self.p, self.p).permute(0, 2, 3, 4, 5, 1).reshape(imgs.shape[0], -1, self.p ** 2 * 3)
        loss = (((pred - target) ** 2).mean(-1) * mask).sum() / mask.sum()
        return loss, pred, mask
