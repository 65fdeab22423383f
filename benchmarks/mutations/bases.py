"""Healthy models: each builds anew from the random state, and says what stands around its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

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


class Residual(nn.Module):
    """A small residual network with batch normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(32, 32, 3, padding=1, bias=False),
                nn.BatchNorm2d(32),
                nn.ReLU(),
                nn.Conv2d(32, 32, 3, padding=1, bias=False),
                nn.BatchNorm2d(32),
            )
            for _ in range(4)
        )
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = torch.relu(x + block(x))
        return self.head(x.mean((2, 3)))


class Tagger(nn.Module):
    """Embedding, recurrent layer with orthogonal gates and an open forget gate, linear head."""

    def __init__(self, cell: type[nn.RNNBase]) -> None:
        super().__init__()
        self.tokens = nn.Embedding(200, 32, padding_idx=0)
        self.rnn = cell(32, 64, batch_first=True)
        self.head = nn.Linear(64, 10)
        for name, parameter in self.rnn.named_parameters():
            if name.startswith("weight_hh"):
                for gate in parameter.data.split(64):
                    nn.init.orthogonal_(gate)
            elif name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
        if cell is nn.LSTM:
            self.rnn.bias_ih_l0.data[64:128] = 1.0

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.rnn(self.tokens(ids))[0][:, -1])


class Gated(nn.Module):
    """A highway layer behind a stem."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(64, 64)
        self.carry = nn.Linear(64, 64)
        self.value = nn.Linear(64, 64)
        self.head = nn.Linear(64, 10)
        nn.init.constant_(self.carry.bias, -1.0)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        gate = torch.sigmoid(self.carry(x))
        return self.head(gate * torch.relu(self.value(x)) + (1 - gate) * x)


class Squeeze(nn.Module):
    """A convolution whose channels a sigmoid gate weighs; the trainable head stands behind the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.down, self.gate = nn.Linear(32, 8), nn.Linear(8, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv(x))
        gate = torch.sigmoid(self.gate(torch.relu(self.down(x.mean((2, 3))))))
        return self.head((x * gate[:, :, None, None]).mean((2, 3)))


class Adapted(nn.Module):
    """Low-rank adapters beside linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(64, 64)
        self.down, self.up = nn.Linear(64, 4, bias=False), nn.Linear(4, 64, bias=False)
        self.head = nn.Linear(64, 10)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.base(x) + self.up(self.down(x))))


class Decoder(nn.Module):
    """A pre-norm transformer language model with a tied head."""

    def __init__(self, depth: int = 3, width: int = 64, vocabulary: int = 300) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(1, 16, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions[:, : ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Block(nn.Module):
    """One pre-norm block of four heads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        h = self.norm1(x)
        q, k, v = (part(h).view(batch, length, 4, width // 4).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


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
    Base("decoder", "transformer", Decoder, ids(300), "gelu"),
    Base("torchvision_resnet18", "residual", torchvision("resnet18"), floats(3, 32, 32), inner=r"conv1"),
    Base("torchvision_mobilenet_v3_small", "residual", torchvision("mobilenet_v3_small"), floats(3, 48, 48)),
    Base("torchvision_squeezenet1_1", "special", torchvision("squeezenet1_1"), floats(3, 48, 48), inner=r"squeeze"),
    Base("hf_bert", "transformer", tiny("bert"), ids(300), "gelu"),
    Base("hf_gpt2", "transformer", tiny("gpt2"), ids(300), "gelu"),
    Base("hf_llama", "transformer", tiny("llama"), ids(300), "silu"),
)
