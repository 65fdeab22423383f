"""Residual branches, attention, recurrences, views, wrappers: what a weight feeds and is fed by."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from tests.unit.infer.dataflow import expect, ids, x


class Attention(nn.Module):
    """One pre-norm attention block; `how` computes the attention."""

    def __init__(self, how):
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.q, self.k, self.v, self.o = (nn.Linear(16, 16) for _ in range(4))
        self.head = nn.Linear(16, 4)
        self.how = how

    def split(self, t):
        return t.view(t.shape[0], t.shape[1], 4, 4).permute(0, 2, 1, 3)

    def forward(self, x):
        n = self.norm(x)
        q, k, v = (self.split(layer(n)) for layer in (self.q, self.k, self.v))
        mixed = self.how(q, k, v).permute(0, 2, 1, 3).reshape(x.shape)
        return self.head(x + self.o(mixed))


ATTENTION = {
    "q.weight": "attention <- layer_norm",
    "k.weight": "attention <- layer_norm",
    "v.weight": "attention <- layer_norm",
    "o.weight": "residual_add <- attention",
    "head.weight": "output <- residual_add",
}


def eager(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1) @ v


def rotary(q, k, v):
    position = torch.arange(q.shape[2], dtype=q.dtype)[:, None] * torch.tensor([1.0, 0.1])
    cos, sin = torch.cat([position.cos()] * 2, -1), torch.cat([position.sin()] * 2, -1)

    def turn(t):
        a, b = t.chunk(2, -1)
        return t * cos + torch.cat([-b, a], -1) * sin

    return eager(turn(q), turn(k), v)


def test_scaled_dot_product_attention():
    expect(lambda: Attention(F.scaled_dot_product_attention), x(2, 5, 16), ATTENTION)


def test_eager_attention():
    expect(lambda: Attention(eager), x(2, 5, 16), ATTENTION)


def test_rotary_positions():
    expect(lambda: Attention(rotary), x(2, 5, 16), ATTENTION)


def test_multihead_attention():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.head = nn.MultiheadAttention(16, 4, batch_first=True), nn.Linear(16, 4)

        def forward(self, x):
            return self.head(x + self.attention(x, x, x, need_weights=False)[0])

    expect(
        Net,
        x(2, 5, 16),
        {
            "attention.in_proj_weight": "attention <- input",
            "attention.out_proj.weight": "residual_add <- attention",
            "head.weight": "output <- residual_add",
        },
    )


def test_lstm_then_relu():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 4)

        def forward(self, x):
            return self.head(torch.relu(self.lstm(x)[0]))

    expect(
        Net,
        x(2, 5, 8),
        {"lstm.weight_ih_l0": "recurrent <- input", "lstm.weight_hh_l0": "recurrent <- input", "head.weight": "output <- relu"},
    )


class Branch(nn.Module):
    """x + branch(x), then a head."""

    def __init__(self, wrap=lambda f, x: f(x), drop=None):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)
        self.wrap, self.drop = wrap, drop or nn.Identity()

    def body(self, x):
        return self.drop(self.b(torch.relu(self.a(x))))

    def forward(self, x):
        return self.head(x + self.wrap(self.body, x))


BRANCH = {"a.weight": "relu <- input", "b.weight": "residual_add <- relu", "head.weight": "output <- residual_add"}


class DropPath(nn.Module):
    def forward(self, x):
        if not self.training:
            return x
        return x * x.new_empty(x.shape[0], 1).bernoulli_(0.9) / 0.9


def test_residual_branch():
    expect(Branch, x(4, 8), BRANCH)


def test_dropout_and_drop_path_in_a_branch():
    expect(lambda: Branch(drop=nn.Dropout(0.2)), x(4, 8), BRANCH)
    expect(lambda: Branch(drop=DropPath()), x(4, 8), BRANCH)


def test_checkpoints():
    for reentrant in (True, False):
        expect(lambda r=reentrant: Branch(lambda f, z: checkpoint(f, z, use_reentrant=r)), x(4, 8), BRANCH)


def test_frozen_backbone_under_no_grad():
    class Net(Branch):
        def forward(self, x):
            with torch.no_grad():
                h = x + self.body(x)
            return self.head(h)

    expect(Net, x(4, 8), BRANCH)


def test_layer_scale_and_positions():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.positions = nn.Embedding(20, 8), nn.Parameter(torch.randn(5, 8))
            self.norm, self.fc, self.scale, self.head = nn.LayerNorm(8), nn.Linear(8, 8), nn.Parameter(torch.ones(8)), nn.Linear(8, 4)

        def forward(self, tokens):
            h = self.embed(tokens) + self.positions
            return self.head(h + self.scale * self.fc(self.norm(h)))

    expect(
        Net,
        ids(20, 4, 5),
        {
            "embed.weight": "layer_norm residual_add <- input",
            "fc.weight": "residual_add <- layer_norm",
            "scale": "residual_add <- weight_layer",
            "head.weight": "output <- residual_add",
        },
    )


def test_tied_embedding_and_head():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.fc, self.head = nn.Embedding(20, 8), nn.Linear(8, 8), nn.Linear(8, 20, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens):
            return self.head(torch.relu(self.fc(self.embed(tokens))))

    expect(Net, ids(20, 4, 5), {"embed.weight": "weight_layer output <- input relu", "fc.weight": "relu <- embedding"})


def test_unet_concat_is_no_residual():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.deep, self.up = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(16, 4, 1)

        def forward(self, x):
            a = F.relu(self.down(x))
            b = F.interpolate(F.relu(self.deep(F.max_pool2d(a, 2))), scale_factor=2)
            return self.up(torch.cat([a, b], 1))

    expect(Net, x(2, 3, 8, 8), {"down.weight": "relu <- input", "deep.weight": "relu <- relu", "up.weight": "output <- relu"})


def test_projected_shortcut():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.na, self.b, self.nb = (
                nn.Conv2d(3, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.Conv2d(8, 8, 3, padding=1),
                nn.BatchNorm2d(8),
            )
            self.side, self.ns, self.head = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Linear(8, 4)

        def forward(self, x):
            y = F.relu(self.nb(self.b(F.relu(self.na(self.a(x))))) + self.ns(self.side(x)))
            return self.head(y.mean((2, 3)))

    expect(
        Net,
        x(4, 3, 8, 8),
        {
            "a.weight": "batch_norm <- input",
            "b.weight": "batch_norm <- relu",
            "nb.weight": "residual_add <- weight_layer",
            "ns.weight": "residual_add <- weight_layer",
            "head.weight": "output <- relu",
        },
    )


def test_two_branches_side_by_side_are_one_pre_activation():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)

        def forward(self, x):
            return self.head(torch.relu(self.a(x) + self.b(x)))

    expect(Net, x(4, 8), {"a.weight": "relu <- input", "b.weight": "relu <- input", "head.weight": "output <- relu"})


def test_data_dependent_control_flow():
    class Net(Branch):
        def forward(self, x):
            h = self.body(x)
            if h.abs().sum() > 0:
                h = torch.tanh(h)
            return self.head(h)

    expect(Net, x(4, 8), {"a.weight": "relu <- input", "b.weight": "tanh <- relu", "head.weight": "output <- tanh"})


def test_in_place_slice_assembly():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.head = nn.Linear(8, 4), nn.Linear(8, 4), nn.Linear(8, 4)

        def forward(self, x):
            out = x.new_zeros(x.shape[0], 8)
            out[:, :4] = torch.relu(self.a(x))
            out[:, 4:] = torch.tanh(self.b(x))
            return self.head(out)

    expect(Net, x(4, 8), {"a.weight": "relu <- input", "b.weight": "tanh <- input", "head.weight": "output <- relu tanh"})
