"""More models that take a configuration or many sizes."""

from typing import NamedTuple

import torch
from torch import nn

EXPRESSIONS = """Perceiver(...)
SwinStage(...)
MoE(...)
ConfigClassModel(...)
MLPMixer(image_size=..., channels=3)
Informer(...)
""".splitlines()


class Config:
    embed = 64
    n_vocab = 500
    num_classes = 4
    filter_sizes = (2, 3, 4)


class ConfigClassModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = nn.Embedding(config.n_vocab, config.embed, padding_idx=config.n_vocab - 1)
        self.convs = nn.ModuleList([nn.Conv2d(1, config.num_filters, (k, config.embed)) for k in config.filter_sizes])


class Point(NamedTuple):
    x: int
    y: int


class MLPMixer(nn.Module):
    def __init__(self, *, image_size, channels, patch_size, dim, depth, num_classes, expansion_factor=4):
        super().__init__()
        assert (image_size % patch_size) == 0, "image must be divisible by patch size"
        num_patches = (image_size // patch_size) ** 2
        self.proj = nn.Linear((patch_size**2) * channels, dim)
        self.mix = nn.ModuleList([nn.Conv1d(num_patches, num_patches * expansion_factor, 1) for _ in range(depth)])


class Informer(nn.Module):
    def __init__(self, configs):
        super().__init__()
        self.pred_len = configs.pred_len
        self.enc = nn.Linear(configs.enc_in, configs.d_model)
        self.layers = nn.ModuleList([nn.MultiheadAttention(configs.d_model, configs.n_heads) for _ in range(configs.e_layers)])
        self.distil = nn.Conv1d(configs.d_model, configs.d_model, 3) if configs.distil else None
        self.projection = nn.Linear(configs.d_model, configs.c_out, bias=True)


class Perceiver(nn.Module):
    def __init__(self, num_latents, latent_dim, cross_heads, cross_dim_head, num_freq_bands, input_axis, weight_tie_layers, depth):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(num_latents, latent_dim))
        self.q = nn.Linear(latent_dim, cross_heads * cross_dim_head)
        self.kv = nn.Linear(input_axis * ((num_freq_bands * 2) + 1), cross_heads * cross_dim_head * 2)
        self.layers = nn.ModuleList([nn.Linear(latent_dim, latent_dim) for _ in range(1 if weight_tie_layers else depth)])


class SwinStage(nn.Module):
    def __init__(self, dim, input_resolution, depth, num_heads, window_size, shift_size, mlp_ratio):
        super().__init__()
        self.input_resolution = input_resolution
        if min(self.input_resolution) <= window_size:
            shift_size = 0
            window_size = min(self.input_resolution)
        assert 0 <= shift_size < window_size, "shift_size must in 0-window_size"
        H, W = self.input_resolution
        self.bias = nn.Parameter(torch.zeros((2 * window_size - 1) * (2 * window_size - 1), num_heads))
        self.mlp = nn.Linear(dim, int(dim * mlp_ratio))


class MoE(nn.Module):
    def __init__(self, input_size, output_size, num_experts, hidden_size, noisy_gating, k):
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(input_size, hidden_size) for i in range(num_experts)])
        self.w_gate = nn.Parameter(torch.zeros(input_size, num_experts))
        assert k <= num_experts
