"""Skips side by side, plain sums that look like skips, attention without a softmax, hand-spelled nonlinearities, whole-number inputs."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.infer.dataflow import expect, ids, x


class Net(nn.Module):
    """Layers by name and a forward that is given them."""

    def __init__(self, body, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.body = body

    def forward(self, *args):
        return self.body(self, *args)


def net(body, **layers):
    """Layers as (in, out) sizes, or modules made anew for each model."""
    return lambda: Net(body, **{name: nn.Linear(*made) if isinstance(made, tuple) else made() for name, made in layers.items()})


def test_attention_and_mlp_side_by_side():
    def body(m, x):
        h = m.norm(x)
        q, k, v = m.q(h).chunk(3, -1)
        return m.head(x + m.o(F.scaled_dot_product_attention(q, k, v)) + m.down(F.gelu(m.up(h))))

    expect(
        net(body, norm=lambda: nn.LayerNorm(16), q=(16, 48), o=(16, 16), up=(16, 32), down=(32, 16), head=(16, 4)),
        x(2, 5, 16),
        {
            "q.weight": "attention <- layer_norm",
            "o.weight": "residual_add <- attention",
            "up.weight": "gelu <- layer_norm",
            "down.weight": "residual_add <- gelu",
            "head.weight": "output <- residual_add",
        },
    )


def test_attention_without_softmax():
    def body(m, x):
        q, k = F.elu(m.q(x)) + 1, F.elu(m.k(x)) + 1
        return x + m.o(q @ (k.transpose(1, 2) @ m.v(x)))

    expect(
        net(body, q=(8, 8), k=(8, 8), v=(8, 8), o=(8, 8)),
        x(2, 5, 8),
        {
            "q.weight": "elu <- input",
            "k.weight": "elu <- input",
            "v.weight": "attention <- input",
            "o.weight": "residual_add <- attention",
        },
    )


def test_low_rank_adapter_is_a_plain_sum():
    expect(
        net(lambda m, x: m.head(F.relu(m.w(x) + m.b(m.a(x)) * 0.5)), w=(8, 8), a=(8, 2), b=(2, 8), head=(8, 2)),
        x(4, 8),
        {
            "w.weight": "relu <- input",
            "a.weight": "weight_layer <- input",
            "b.weight": "relu <- weight_layer",
            "head.weight": "output <- relu",
        },
    )


def recurrence(step):
    def body(m, x):
        h = torch.zeros(x.shape[0], 8)
        for now in step(m, x):
            h = torch.tanh(now() + m.u(h))
        return m.head(h)

    return body


@pytest.mark.parametrize(
    ("step", "shape"),
    [
        (lambda m, x: [lambda t=t: m.w(x[:, t]) for t in range(4)], (3, 4, 8)),
        (lambda m, x: [lambda t=t, xs=m.w(x): xs[:, t] for t in range(4)], (3, 4, 8)),
        (lambda m, x: [lambda: m.w(x)] * 3, (3, 8)),
    ],
    ids=["step by step", "projected at once", "constant input"],
)
def test_plain_recurrences_are_no_residuals(step, shape):
    expect(
        net(recurrence(step), w=(8, 8), u=(8, 8), head=(8, 2)),
        x(*shape),
        {"w.weight": "tanh <- input", "u.weight": "tanh <- tanh", "head.weight": "output <- tanh"},
    )


def test_shortcut_without_norms():
    expect(
        net(
            lambda m, x: m.f(F.relu(m.b(F.relu(m.a(x))) + m.skip(x)).amax((2, 3))),
            a=lambda: nn.Conv2d(3, 6, 3, padding=1),
            b=lambda: nn.Conv2d(6, 6, 3, padding=1),
            skip=lambda: nn.Conv2d(3, 6, 1),
            f=(6, 2),
        ),
        x(2, 3, 8, 8),
        {
            "a.weight": "relu <- input",
            "b.weight": "residual_add <- relu",
            "skip.weight": "residual_add <- input",
            "f.weight": "output <- relu",
        },
    )


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (lambda h: 1 / (1 + torch.exp(-h)), "sigmoid"),
        (lambda h: torch.log(1 + torch.exp(h)), "softplus"),
        (lambda h: torch.log1p(torch.exp(h)), "softplus"),
        (lambda h: torch.maximum(h, torch.zeros_like(h)), "relu"),
        (lambda h: h * (h > 0), "relu"),
        (lambda h: h.masked_fill(h < 0, 0), "relu"),
        (lambda h: torch.where(h > 0, h, 0.0), "relu"),
        (lambda h: torch.where(h > 0, h, 0.3 * h), "leaky_relu"),
        (lambda h: torch.where(h > 0, h, torch.exp(h) - 1), "elu"),
        (lambda h: h / (1 + h.abs()), "softsign"),
        (lambda h: F.normalize(h, dim=-1), "rms_norm"),
        (lambda h: (h - h.mean(-1, keepdim=True)) / (h.std(-1, keepdim=True) + 1e-5), "layer_norm"),
        (lambda h: h.clamp(-1, 1), "hardtanh"),
        (lambda h: h + torch.sin(h) ** 2, "custom:add+pow+sin"),
    ],
)
def test_spelled_out(body, word):
    expect(
        net(lambda m, x: m.b(body(m.a(x))), a=(8, 8), b=(8, 2)),
        x(4, 8),
        {"a.weight": f"{word} <- input", "b.weight": f"output <- {word}"},
    )


def test_gated_convolution():
    expect(
        net(
            lambda m, x: m.head(x + m.o(torch.tanh(m.f(x)[..., :-1]) * torch.sigmoid(m.g(x)[..., :-1]))),
            f=lambda: nn.Conv1d(4, 4, 2, padding=1),
            g=lambda: nn.Conv1d(4, 4, 2, padding=1),
            o=lambda: nn.Conv1d(4, 4, 1),
            head=lambda: nn.Conv1d(4, 2, 1),
        ),
        x(2, 4, 9),
        {
            "f.weight": "tanh <- input",
            "g.weight": "sigmoid <- input",
            "o.weight": "residual_add <- gate_multiply",
            "head.weight": "output <- residual_add",
        },
    )


def test_router_and_experts():
    def body(m, x):
        value, index = torch.softmax(m.router(x), -1).topk(1, -1)
        y = torch.zeros_like(x)
        for number, expert in enumerate((m.first, m.second)):
            chosen = (index[:, 0] == number).nonzero()[:, 0]
            y.index_add_(0, chosen, F.relu(expert(x[chosen])) * value[chosen])
        return m.head(x + y)

    expect(
        net(body, router=(8, 2), first=(8, 8), second=(8, 8), head=(8, 2)),
        x(32, 8),
        {
            "router.weight": "softmax <- input",
            "first.weight": "relu <- input",
            "second.weight": "relu <- input",
            "head.weight": "output <- residual_add",
        },
    )


def test_dense_concatenation():
    def body(m, x):
        z = torch.cat([x, F.relu(m.a(x))], -1)
        return m.c(torch.cat([z, F.relu(m.b(z))], -1))

    expect(
        net(body, a=(8, 8), b=(16, 8), c=(24, 2)),
        x(3, 8),
        {"a.weight": "relu <- input", "b.weight": "relu <- input relu", "c.weight": "output <- input relu"},
    )


def test_time_steps_are_data_where_they_meet_a_weight():
    def body(m, x, t):
        angle = t[:, None].float() * torch.arange(4)[None]
        return m.b(F.silu(m.a(x) + m.t(torch.cat([angle.sin(), angle.cos()], -1))))

    expect(
        net(body, t=(8, 8), a=(8, 8), b=(8, 2)),
        (x(3, 8), ids(9, 3)),
        {"t.weight": "silu <- custom:cos sin", "a.weight": "silu <- input", "b.weight": "output <- silu"},
    )


def test_bytes_beside_class_numbers():
    expect(
        net(
            lambda m, image, label: m.b(F.relu(m.c(image.float() / 255)).mean((2, 3)) + m.e(label)),
            e=lambda: nn.Embedding(5, 4),
            c=lambda: nn.Conv2d(3, 4, 3),
            b=(4, 2),
        ),
        (ids(255, 2, 3, 8, 8).to(torch.uint8), ids(5, 2)),
        {"c.weight": "relu <- input", "e.weight": "weight_layer <- input", "b.weight": "output <- embedding relu"},
    )


def test_one_hot_classes():
    expect(
        net(lambda m, i: m.b(F.relu(m.a(F.one_hot(i, 10).float()))), a=(10, 8), b=(8, 2)),
        ids(10, 4),
        {"a.weight": "relu <- input", "b.weight": "output <- relu"},
    )
