"""Bugs of loading and of the meta device that were reported in public, written anew in a few lines, each with its repair."""

from __future__ import annotations

import torch
from torch import nn

from tests.verdicts.loaded_starts import whole


def family():
    """Small models of transformers; made in a function, because the package may be missing."""
    from transformers import PretrainedConfig, PreTrainedModel

    class Config(PretrainedConfig):
        model_type = "initcheck-tiny"

        def __init__(self, width=32, **options):
            super().__init__(**options)
            self.width = width

    class Mixer(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.up, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)
            self.dt_bias, self.decay = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.ones(width))

        def forward(self, x):
            return x + self.out_proj(torch.relu(self.up(x)) * torch.sigmoid(self.dt_bias) * self.decay)

    class Base(PreTrainedModel):
        config_class = Config

        def __init__(self, config):
            super().__init__(config)
            self.mixers = nn.ModuleList([Mixer(config.width) for _ in range(2)])
            self.head = nn.Linear(config.width, 4)
            self.post_init()

        def forward(self, x):
            for mixer in self.mixers:
                x = mixer(x)
            return self.head(x)

        def _init_weights(self, module):
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.2)
                nn.init.zeros_(module.bias)

    return Config, Base


def _written_raw(self, module):
    with torch.no_grad():
        if isinstance(module, nn.Linear):
            module.weight.normal_(std=0.2)
            module.bias.zero_()
        elif hasattr(module, "dt_bias"):
            module.dt_bias.copy_(torch.rand(32).log())
            module.out_proj.weight.div_(2**0.5)


def silently_random(folder):
    """transformers issue 46620: a subclass whose own pass runs after the load; the load report is clean."""
    _, base = family()

    class Silent(base):
        _init_weights = _written_raw

        def initialize_weights(self):
            self.apply(self._init_weights)

    return Silent.from_pretrained(folder)


def silently_random_repaired(folder):
    return family()[1].from_pretrained(folder)


def trained_bias_replaced(folder):
    """transformers pull request 45591: `_init_weights` writes `dt_bias` of each mixer although it was loaded."""
    _, base = family()

    class Mixed(base):
        def _init_weights(self, module):
            super()._init_weights(module)
            if hasattr(module, "dt_bias"):
                with torch.no_grad():
                    module.dt_bias.copy_(torch.rand(32).log())

        def _initialize_weights(self, module, is_custom_code=False):
            self._init_weights(module)

    return Mixed.from_pretrained(folder)


def trained_bias_kept(folder):
    _, base = family()

    class Mixed(base):
        def _init_weights(self, module):
            super()._init_weights(module)
            if hasattr(module, "dt_bias") and not getattr(module.dt_bias, "_is_hf_initialized", False):
                with torch.no_grad():
                    module.dt_bias.copy_(torch.rand(32).log())

    return Mixed.from_pretrained(folder)


def reset_inside_the_model():
    """flash-linear-attention pull request 820: parameters of the trained model are set again by its initializing pass."""
    model = whole()

    def initialize(module):
        if isinstance(module, nn.LayerNorm):
            module.weight.data.uniform_(0.5, 1.5)

    model.apply(initialize)
    return model


def reset_before_the_load():
    return whole()


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.register_buffer("calls", torch.zeros(()), persistent=False)

    def forward(self, x):
        return x * (x * x).mean(-1, keepdim=True).add(1e-6).rsqrt() * self.weight + 0 * self.calls


class RepairedNorm(Norm):
    def __init__(self, width):
        super().__init__(width)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.calls)


class Tower(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(16, 32), norm(32), nn.Linear(32, 4)

    def forward(self, x):
        return self.last(torch.relu(self.norm(self.first(x))))


def materialised(norm):
    """llm-foundry pull request 1745, Lightning pull request 17627: `to_empty`, then only the modules that somebody thought of."""
    with torch.device("meta"):
        model = Tower(norm)
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model


def norm_skipped():
    return materialised(Norm)


def norm_written():
    return materialised(RepairedNorm)
