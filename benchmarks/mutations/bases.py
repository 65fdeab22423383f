"""Healthy models: each builds anew from the random state, and says what stands around its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.mutations.networks import Adapted, Decoder, Depthwise, Experts, Gated, Residual, Squeeze, Tagger, Transposed

Inputs = object


@dataclass(frozen=True)
class Base:
    """A healthy model.

    style: plain (no normalization between weights), normed, residual, transformer, recurrent, special.
    inner: a pattern of the weights without which nothing gets through, and whose zero a rectifier would keep for ever.
    """

    name: str
    style: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], Inputs]
    nonlinearity: str = "relu"
    inner: str = ""

    @property
    def small(self) -> bool:
        """Whether a short training takes seconds."""
        return not self.name.startswith(("torchvision", "hf", "resnet"))


def he(model: nn.Module, nonlinearity: str = "relu") -> nn.Module:
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity=nonlinearity)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def xavier(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    return model


def mlp(depth: int, act: Callable[[], nn.Module], norm: Callable[[int], nn.Module] | None = None, width: int = 128) -> nn.Sequential:
    parts: list[nn.Module] = []
    for index in range(depth - 1):
        parts.append(nn.Linear(64 if index == 0 else width, width))
        parts += ([norm(width)] if norm else []) + [act()]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def cnn(norm: bool, depth: int = 5, channels: int = 32) -> nn.Sequential:
    parts: list[nn.Module] = []
    for index in range(depth):
        parts.append(nn.Conv2d(3 if index == 0 else channels, channels, 3, padding=1, bias=not norm))
        parts += ([nn.BatchNorm2d(channels)] if norm else []) + [nn.ReLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def floats(*shape: int) -> Callable[[], Tensor]:
    return lambda: torch.randn(32, *shape, generator=torch.Generator().manual_seed(1))


def ids(limit: int, length: int = 16) -> Callable[[], Tensor]:
    return lambda: torch.randint(1, limit, (32, length), generator=torch.Generator().manual_seed(1))


def torchvision(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import torchvision

        return torchvision.models.get_model(name, weights=None, num_classes=10)

    return build


def tiny(family: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import transformers

        common = {"vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
        if family == "bert":
            return transformers.BertForSequenceClassification(transformers.BertConfig(**common, num_labels=10))
        if family == "llama":
            return transformers.LlamaForCausalLM(transformers.LlamaConfig(**common, num_key_value_heads=4))
        return transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=300, n_embd=64, n_layer=2, n_head=4))

    return build


BASES: tuple[Base, ...] = (
    *(Base(f"relu_mlp_{depth}", "plain", lambda depth=depth: he(mlp(depth, nn.ReLU)), floats(64)) for depth in (3, 5, 8, 12)),
    *(Base(f"tanh_mlp_{depth}", "plain", lambda depth=depth: xavier(mlp(depth, nn.Tanh)), floats(64), "tanh") for depth in (4, 8)),
    Base("gelu_mlp_6", "plain", lambda: he(mlp(6, nn.GELU)), floats(64), "gelu"),
    Base("selu_mlp_8", "plain", lambda: he(mlp(8, nn.SELU), "linear"), floats(64), "selu"),
    Base("leaky_mlp_6", "plain", lambda: he(mlp(6, lambda: nn.LeakyReLU(0.1))), floats(64), "leaky_relu"),
    Base("batchnorm_mlp_6", "normed", lambda: he(mlp(6, nn.ReLU, nn.BatchNorm1d)), floats(64)),
    Base("layernorm_mlp_6", "normed", lambda: he(mlp(6, nn.ReLU, nn.LayerNorm)), floats(64)),
    Base("plain_cnn", "plain", lambda: he(cnn(norm=False)), floats(3, 16, 16)),
    Base("batchnorm_cnn", "normed", lambda: he(cnn(norm=True)), floats(3, 16, 16)),
    Base("resnet", "residual", lambda: he(Residual()), floats(3, 16, 16), inner=r"stem\.0|blocks\.\d\.0"),
    Base("lstm", "recurrent", lambda: Tagger(nn.LSTM), ids(200)),
    Base("gru", "recurrent", lambda: Tagger(nn.GRU), ids(200)),
    Base("rnn", "recurrent", lambda: Tagger(nn.RNN), ids(200), "tanh"),
    Base("highway", "special", Gated, floats(64)),
    Base("squeeze", "special", Squeeze, floats(3, 16, 16)),
    Base("lora", "special", Adapted, floats(64)),
    Base("experts", "special", Experts, floats(64)),
    Base("transposed", "special", Transposed, floats(64)),
    Base("depthwise", "special", lambda: he(Depthwise()), floats(3, 16, 16)),
    Base("decoder", "transformer", Decoder, ids(300), "gelu"),
    Base("torchvision_resnet18", "residual", torchvision("resnet18"), floats(3, 32, 32), inner=r"conv1"),
    Base("torchvision_mobilenet_v3_small", "residual", torchvision("mobilenet_v3_small"), floats(3, 48, 48)),
    Base("torchvision_squeezenet1_1", "special", torchvision("squeezenet1_1"), floats(3, 48, 48), inner=r"squeeze"),
    Base("hf_bert", "transformer", tiny("bert"), ids(300), "gelu"),
    Base("hf_gpt2", "transformer", tiny("gpt2"), ids(300), "gelu"),
    Base("hf_llama", "transformer", tiny("llama"), ids(300), "silu"),
)
