"""Small healthy networks, each with one kind of structure that a checker must understand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


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


class Experts(nn.Module):
    """Four experts of two layers in two stacks, each drawn for itself, under a soft router."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.router = nn.Linear(64, 64), nn.Linear(64, 4)
        self.up, self.down = nn.Parameter(torch.empty(4, 64, 128)), nn.Parameter(torch.empty(4, 128, 64))
        self.head = nn.Linear(64, 10)
        for stack in (self.up, self.down):
            for expert in stack.data:
                nn.init.kaiming_normal_(expert.t(), nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        hidden = torch.relu(torch.einsum("bi,eio->beo", x, self.up))
        mixed = torch.einsum("bei,eio->beo", hidden, self.down)
        return self.head(torch.relu((torch.softmax(self.router(x), -1)[..., None] * mixed).sum(1)))


class Transposed(nn.Module):
    """Weights stored as (in, out) and used as x @ W."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(64, 512), (512, 64), (64, 512), (512, 64)]
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(size)) for size in sizes)
        self.head = nn.Linear(64, 10)
        for weight in self.weights:
            nn.init.kaiming_normal_(weight.data.t(), nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        for weight in self.weights:
            x = torch.relu(x @ weight)
        return self.head(x)


class Depthwise(nn.Module):
    """Depthwise and pointwise convolutions without normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, padding=1)
        self.depthwise = nn.ModuleList(nn.Conv2d(32, 32, 3, padding=1, groups=32) for _ in range(3))
        self.pointwise = nn.ModuleList(nn.Conv2d(32, 32, 1) for _ in range(3))
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        for depthwise, pointwise in zip(self.depthwise, self.pointwise, strict=True):
            x = torch.relu(pointwise(torch.relu(depthwise(x))))
        return self.head(x.mean((2, 3)))


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
