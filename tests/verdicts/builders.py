"""Small models for the rows of the verdict tables: every builder returns a function that builds the model anew."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

Build = Callable[[], nn.Module]


def normal(std):
    return lambda layer: nn.init.normal_(layer.weight, std=std)


def xavier(gain=1.0):
    return lambda layer: nn.init.xavier_uniform_(layer.weight, gain=gain)


def he(**kwargs):
    kwargs.setdefault("nonlinearity", "relu")
    return lambda layer: nn.init.kaiming_normal_(layer.weight, **kwargs)


def he_uniform(**kwargs):
    return lambda layer: nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", **kwargs)


def orthogonal(gain=1.0):
    return lambda layer: nn.init.orthogonal_(layer.weight, gain=gain)


def default(layer):
    return None


def mlp(layers, *, width=64, act=nn.ReLU, init=default, norm=None, bias=0.0, head=None, inputs=64, classes=10, edit=None) -> Build:
    """A plain MLP of `layers` weight layers. `bias=None` leaves the default, a number fills all hidden biases, a function is applied."""

    def build():
        body = []
        for index in range(layers - 1):
            layer = nn.Linear(inputs if index == 0 else width, width)
            init(layer)
            if init is not default:
                fill(layer.bias, bias)
            body.append(layer)
            if norm is not None:
                body.append(norm(width))
            body.append(act())
        last = nn.Linear(width, classes)
        (head or init)(last)
        if init is not default:
            nn.init.zeros_(last.bias)
        model = nn.Sequential(*body, last)
        if edit is not None:
            with torch.no_grad():
                edit(model)
        return model

    return build


def fill(bias, value):
    if value is None:
        return
    if callable(value):
        value(bias)
    else:
        nn.init.constant_(bias, value)


def linears(model):
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def scaled(init, factor):
    def apply(layer):
        init(layer)
        with torch.no_grad():
            layer.weight.mul_(factor)

    return apply


def scale_layer(index, factor):
    return lambda model: linears(model)[index].weight.mul_(factor)


class Residual(nn.Module):
    """x + branch(x)."""

    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


class PreNorm(nn.Module):
    """A pre-norm (or post-norm) transformer encoder over float tokens, written out."""

    def __init__(self, depth, width, init, *, post=False, heads=4, act=nn.GELU, classes=10):
        super().__init__()
        self.blocks = nn.ModuleList()
        self.post = post
        for _ in range(depth):
            block = nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(width),
                    "qkv": nn.Linear(width, 3 * width),
                    "proj": nn.Linear(width, width),
                    "norm2": nn.LayerNorm(width),
                    "up": nn.Linear(width, 4 * width),
                    "act": act(),
                    "down": nn.Linear(4 * width, width),
                }
            )
            self.blocks.append(block)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        self.heads = heads
        for module in self.modules():
            if isinstance(module, nn.Linear) and module is not self.head:
                init(module)
                nn.init.zeros_(module.bias)

    def mix(self, block, x):
        batch, length, width = x.shape
        q, k, v = block["qkv"](x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return block["proj"](mixed.transpose(1, 2).reshape(batch, length, width))

    def feed(self, block, x):
        return block["down"](block["act"](block["up"](x)))

    def forward(self, x):
        for block in self.blocks:
            if self.post:
                x = block["norm1"](x + self.mix(block, x))
                x = block["norm2"](x + self.feed(block, x))
            else:
                x = x + self.mix(block, block["norm1"](x))
                x = x + self.feed(block, block["norm2"](x))
        return self.head(self.norm(x).mean(1))


class Recurrent(nn.Module):
    """A recurrent layer with a linear head on its last state."""

    def __init__(self, cell, init=None, inputs=16, hidden=64):
        super().__init__()
        self.rnn = cell(inputs, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)
        if init is not None:
            with torch.no_grad():
                init(self.rnn)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def orthogonal_gates(rnn):
    for name, parameter in rnn.named_parameters():
        if "weight_hh" in name:
            for gate in parameter.split(rnn.hidden_size):
                nn.init.orthogonal_(gate)
        elif "weight_ih" in name:
            for gate in parameter.split(rnn.hidden_size):
                nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(parameter)


def forget(value, *, both=False):
    def apply(rnn):
        orthogonal_gates(rnn)
        h = rnn.hidden_size
        rnn.bias_ih_l0[h : 2 * h].fill_(value)
        if both:
            rnn.bias_hh_l0[h : 2 * h].fill_(value)

    return apply


class LoRA(nn.Module):
    """Linear layers with low-rank adapters between ReLUs."""

    def __init__(self, init_a, init_b, width=64, rank=4):
        super().__init__()
        self.base = nn.Linear(width, width)
        nn.init.kaiming_normal_(self.base.weight, nonlinearity="relu")
        self.down = nn.Linear(width, rank, bias=False)
        self.up = nn.Linear(rank, width, bias=False)
        init_a(self.down.weight)
        init_b(self.up.weight)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(torch.relu(self.base(x) + self.up(self.down(x))))


class TiedLM(nn.Module):
    """Embedding, one feed-forward layer, tied head."""

    def __init__(self, std=1.0, width=512, vocabulary=2000, tied=True, padding=None):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width, padding_idx=padding)
        nn.init.normal_(self.tokens.weight, std=std)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, ids):
        return self.head(self.norm(self.tokens(ids)))


def he_residual(blocks, *, zero_last=False, width=64):
    def build():
        parts = [nn.Linear(64, width)]
        for _ in range(blocks):
            branch = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
            for layer in linears(branch):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
            if zero_last:
                nn.init.zeros_(branch[2].weight)
                branch = branch[:3]
            parts.append(Residual(branch))
        return nn.Sequential(*parts, nn.Linear(width, 10))

    return build


def sqrt(x):
    return math.sqrt(x)
