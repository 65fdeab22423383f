"""The fields of a layer beyond its roles."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from initcheck.errors import NotKnown
from tests.unit.infer.evidence import evidence
from tests.unit.infer.test_dataflow_branches import net


def fans(model, x, weight):
    layer = evidence(model, x).layer(weight)
    return layer.fan_in.get(), layer.fan_out.get()


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Linear(6, 10), (2, 6), (6, 10)),
        (nn.Conv2d(8, 16, 3), (2, 8, 6, 6), (72, 144)),
        (nn.Conv2d(8, 16, 3, groups=4), (2, 8, 6, 6), (18, 36)),
        (nn.Conv2d(8, 8, 3, groups=8), (2, 8, 6, 6), (9, 9)),
        (nn.Conv2d(8, 16, 4, stride=4), (2, 8, 8, 8), (128, 16)),
        (nn.ConvTranspose2d(8, 16, 4, stride=2, padding=1), (2, 8, 6, 6), (32, 256)),
        (nn.Conv1d(4, 8, 5), (2, 4, 9), (20, 40)),
    ],
)
def test_fans_as_used(layer, shape, expected):
    assert fans(nn.Sequential(layer, nn.ReLU()), torch.randn(*shape), "0.weight") == expected


def test_fans_of_other_storage():
    def build(shape, body):
        model = net(body)()
        model.w = nn.Parameter(torch.randn(*shape))
        return model

    assert fans(build((6, 10), lambda m, x: torch.relu(x @ m.w)), torch.randn(3, 6), "w") == (6, 10)
    stack = build((4, 6, 10), lambda m, x: torch.relu(torch.bmm(x, m.w)))
    assert fans(stack, torch.randn(4, 3, 6), "w") == (6, 10)
    einsum = build((4, 10, 6), lambda m, x: torch.relu(torch.einsum("ebi,eoi->ebo", x, m.w)))
    assert fans(einsum, torch.randn(4, 3, 6), "w") == (6, 10)


def test_recurrent_layers():
    found = evidence(net(lambda m, x: m.head(m.rnn(x)[0]), rnn=lambda: nn.LSTM(6, 5), head=(5, 2))(), torch.randn(4, 3, 6))
    hidden = found.layer("rnn.weight_hh_l0")
    assert (hidden.kind, hidden.cell, hidden.blocks, hidden.fan_in.get(), hidden.fan_out.get()) == ("recurrent", "lstm", 4, 5, 5)
    assert found.layer("rnn.weight_ih_l0").fan_in.get() == 6
    assert found.layer("head.weight").fed_by.get() == ("recurrent",)


def block(m, x):
    x = m.stem(x)
    return m.head(m.final(x + m.down(F.gelu(m.up(m.norm(x))))))


def test_residual_branch_and_norms():
    model = net(block, stem=(8, 8), norm=lambda: nn.LayerNorm(8), up=(8, 16), down=(16, 8), final=lambda: nn.LayerNorm(8), head=(8, 2))()
    layers = {layer.weight: layer for layer in evidence(model, torch.randn(4, 8)).layers}
    assert [name for name, layer in layers.items() if layer.inside_branch] == ["norm.weight", "up.weight", "down.weight"]
    assert [name for name, layer in layers.items() if layer.closes_branch] == ["down.weight"]
    assert layers["norm.weight"].kind == layers["final.weight"].kind == "norm"
    assert layers["norm.weight"].bias == "norm.bias"
    assert layers["up.weight"].nonlinearity.get().role == "gelu"
    assert layers["up.weight"].then == ("weight_layer",)
    assert [layers[name].depth for name in ("stem.weight", "up.weight", "down.weight", "head.weight")] == [0, 1, 2, 3]
    assert list(layers) == ["stem.weight", "norm.weight", "up.weight", "down.weight", "final.weight", "head.weight"]
    with pytest.raises(NotKnown, match="no nonlinearity"):
        layers["down.weight"].nonlinearity.get()


def test_looking_through_a_norm_and_merges():
    def body(m, x):
        return m.c(torch.relu(m.bn(m.a(x) + m.b(x))))

    layers = {
        layer.weight: layer
        for layer in evidence(net(body, a=(8, 8), b=(8, 8), bn=lambda: nn.BatchNorm1d(8), c=(8, 2))(), torch.randn(8, 8)).layers
    }
    assert layers["a.weight"].norm == "batch_norm"
    assert layers["a.weight"].nonlinearity.get().role == "relu"
    assert layers["a.weight"].merges == ("sum",)
    assert layers["a.weight"].outgoing == ("c.weight",)


def test_scale_of_a_hand_written_norm_is_a_norm():
    def body(m, x):
        h = m.a(x)
        return m.b(h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6) * m.gamma)

    model = net(body, a=(8, 8), b=(8, 2))()
    model.gamma = nn.Parameter(torch.ones(8))
    model.spare = nn.Linear(3, 3)
    found = evidence(model, torch.randn(4, 8))
    assert found.layer("gamma").kind == "norm"
    assert found.layer("spare.weight").kind == "unused"
    with pytest.raises(NotKnown):
        found.layer("spare.weight").feeds.get()


def test_gates_uses_slope_and_derived():
    def body(m, x):
        h = F.leaky_relu(m.twice(F.leaky_relu(m.twice(x), 0.3)), 0.3)
        return m.out(torch.sigmoid(m.gate(h)) * m.value(h))

    model = net(body, twice=(8, 8), gate=(8, 8), value=lambda: nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)), out=(8, 2))()
    layers = {layer.weight: layer for layer in evidence(model, torch.randn(4, 8)).layers}
    assert layers["gate.weight"].gates
    assert not layers["twice.weight"].gates
    assert layers["twice.weight"].uses == 2
    assert layers["twice.weight"].nonlinearity.get().parameter == pytest.approx((0.3,))
    assert layers["value.parametrizations.weight.original1"].derived
    assert not layers["gate.weight"].derived


def test_class_token_is_added_not_multiplied():
    model = net(lambda m, x: m.b(torch.relu(m.a(torch.cat([m.token.expand(x.shape[0], 1, 8), x], 1)))), a=(8, 8), b=(8, 2))()
    model.token = nn.Parameter(torch.randn(1, 1, 8))
    found = evidence(model, torch.randn(4, 3, 8))
    assert found.layer("token").kind == "bias"
    assert found.layer("token").feeds.get() == ("weight_layer",)


@pytest.mark.parametrize("fused", [True, False])
def test_a_table_that_is_added_to_attention_scores(fused):
    def mix(m, x):
        q, k, v = m.qkv(x).chunk(3, -1)
        bias = m.table(torch.arange(6).view(6, 1) - torch.arange(6) + 5).permute(2, 0, 1)
        if fused:
            return m.head(F.scaled_dot_product_attention(q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1), bias).squeeze(1))
        return m.head(torch.softmax(q @ k.transpose(1, 2) / 8**0.5 + bias, -1) @ v)

    model = net(mix, qkv=(8, 24), table=lambda: nn.Embedding(11, 1), head=(8, 2))()
    table = evidence(model, torch.randn(4, 6, 8)).layer("table.weight")
    assert table.kind == "bias"
    assert set(table.feeds.get()) & {"softmax", "attention"}


def test_torchs_fans_stand_beside_the_used_ones():
    conv = evidence(nn.Sequential(nn.Conv2d(8, 16, 4, stride=4, groups=2), nn.ReLU()), torch.randn(2, 8, 8, 8)).layer("0.weight")
    assert (conv.fan_in.get(), conv.fan_out.get(), conv.torch_fans.get()) == (64, 8, (64, 256))
    stored = net(lambda m, x: torch.relu(x @ m.w @ m.v))()
    stored.w, stored.v = nn.Parameter(torch.randn(6, 10)), nn.Parameter(torch.randn(10))
    found = evidence(stored, torch.randn(3, 6))
    assert found.layer("w").torch_fans.get() == (10, 6)
    assert (found.layer("v").fan_in.get(), found.layer("v").fan_out.get()) == (10, 1)
    with pytest.raises(NotKnown, match="two axes"):
        found.layer("v").torch_fans.get()


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_other_uses():
    unfolded = evidence(nn.Sequential(nn.ConvTranspose2d(100, 16, 4), nn.ReLU()), torch.randn(2, 100, 1, 1)).layer("0.weight")
    assert (unfolded.fan_in.get(), unfolded.fan_out.get(), unfolded.torch_fans.get()) == (100, 256, (256, 1600))
    bag = evidence(nn.EmbeddingBag(30, 5, mode="sum"), torch.randint(0, 30, (4, 8))).layer("weight")
    assert (bag.fan_in.get(), bag.torch_fans.get()) == (8, (5, 30))
    projected = evidence(net(lambda m, x: m.rnn(x)[0], rnn=lambda: nn.LSTM(6, 8, proj_size=3))(), torch.randn(4, 3, 6))
    state, projection = projected.layer("rnn.weight_hh_l0"), projected.layer("rnn.weight_hr_l0")
    assert (state.fan_in.get(), state.fan_out.get(), state.blocks) == (3, 8, 4)
    assert (projection.fan_in.get(), projection.fan_out.get(), projection.blocks) == (8, 3, 1)
