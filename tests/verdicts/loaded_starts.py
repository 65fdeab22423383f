"""Models that load weights from a file, well and badly. The file is made by the test in the working directory."""

from __future__ import annotations

import copy

import torch
from torch import nn

FILE = "net.pt"


def init(module):
    if isinstance(module, nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self, classes=4, depth=4, width=32):
        super().__init__()
        self.stem = nn.Linear(16, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)
        self.apply(init)
        for block in self.blocks:
            nn.init.zeros_(block.down.weight)

    def features(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, x):
        return self.head(self.features(x))


def weights():
    return torch.load(FILE)


def trained():
    """What stands in the file: weights that are no initialization any more."""
    torch.manual_seed(7)
    model = Net()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.0 + 0.3 * torch.rand(parameter.shape)).add_(0.05 * torch.randn(parameter.shape))
    return model


def whole(model=None, **options):
    model = model or Net()
    model.load_state_dict(weights(), **options)
    return model


# healthy


def with_a_new_head():
    model = whole()
    model.head = nn.Linear(32, 7)
    return model


def without_the_old_head():
    model = Net(7)
    model.load_state_dict({name: value for name, value in weights().items() if not name.startswith("head")}, strict=False)
    return model


def head_drawn_anew():
    model = whole()
    nn.init.normal_(model.head.weight, std=0.01)
    nn.init.zeros_(model.head.bias)
    return model


class LowRank(nn.Module):
    def __init__(self, inner, rank=2):
        super().__init__()
        self.inner = inner
        self.a, self.b = nn.Parameter(torch.empty(rank, inner.in_features)), nn.Parameter(torch.zeros(inner.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)

    def forward(self, x):
        return self.inner(x) + x @ self.a.T @ self.b.T


def with_adapters():
    model = whole().requires_grad_(False)
    for block in model.blocks:
        block.up = LowRank(block.up)
    model.head.requires_grad_(True)
    return model


def adapters_built_first():
    model = Net()
    for block in model.blocks:
        block.up = LowRank(block.up)
    names = {name.replace(".up.", ".up.inner."): value for name, value in weights().items()}
    model.load_state_dict(names, strict=False)
    return model


def frozen_backbone():
    model = whole().requires_grad_(False)
    model.head = nn.Linear(32, 7)
    return model


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = whole()
        self.encoder.head = nn.Identity()
        self.projection = nn.Linear(32, 8)

    def forward(self, x):
        return self.projection(self.encoder(x))


def averaged():
    model = whole()
    other = copy.deepcopy(model)
    with torch.no_grad():
        for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
            mine.mul_(0.5).add_(theirs, alpha=0.5)
    return model


def half_precision():
    return whole().half().float()


def one_channel():
    """Other inputs: the first layer takes the sum of the old one's columns."""
    model = whole()
    stem = nn.Linear(16, 32)
    stem.weight = nn.Parameter(model.stem.weight.detach().roll(1, 1))
    model.stem = stem
    return model


def two_stages():
    model = whole()
    model.load_state_dict(weights())
    return model


# sick


def applied_afterwards():
    model = whole()
    model.apply(init)
    return model


def one_layer_drawn_anew():
    model = whole()
    nn.init.xavier_uniform_(model.blocks[1].up.weight)
    return model


def reset_afterwards():
    model = whole()
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    return model


def wrong_prefix():
    model = Net()
    model.load_state_dict({f"module.{name}": value for name, value in weights().items()}, strict=False)
    return model


def truncated():
    model = Net()
    model.load_state_dict({name: value for name, value in weights().items() if not name.startswith(("blocks.2", "blocks.3"))}, strict=False)
    return model


def deeper():
    model = Net(depth=6)
    model.load_state_dict(weights(), strict=False)
    return model


def renamed_layers():
    model = Net()
    model.load_state_dict({name.replace("blocks.", "layers."): value for name, value in weights().items()}, strict=False)
    return model


def frozen_new_head():
    model = whole()
    model.head = nn.Linear(32, 7)
    return model.requires_grad_(False)


def forgotten_buffer_and_layer():
    model = Net()
    model.load_state_dict({name: value for name, value in weights().items() if name != "blocks.2.up.weight"}, strict=False)
    return model
