"""Scale and scheme where the use of a weight decides: wrong fans, weights that are rescaled at run time."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.verdicts.builders import he, mlp, normal, sqrt
from tests.verdicts.verdict import NOTHING, SILENT, judge, says

FAN = "wrong-fan"
DEFAULT = "default-under-depth"


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def net(forward, **parts):
    """A model of the given parts (modules, or functions that make them or parameters) with this forward pass."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            for name, make in parts.items():
                setattr(self, name, make())

        def forward(self, x):
            return forward(self, x)

    return Net


def drawn(shape, init):
    def make():
        weight = nn.Parameter(torch.empty(shape))
        init(weight)
        return weight

    return make


def conv(*args, init, **kwargs):
    def make():
        layer = nn.Conv2d(*args, **kwargs)
        init(layer.weight)
        nn.init.zeros_(layer.bias)
        return layer

    return make


def fan_out(weight):
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


def depthwise(norm):
    parts = {"norm": lambda: nn.BatchNorm2d(64)} if norm else {"norm": nn.Identity}
    return net(
        lambda m, x: m.head(torch.relu(m.point(torch.relu(m.norm(m.depth(x))))).mean((2, 3))),
        depth=conv(64, 64, 3, padding=1, groups=64, init=fan_out),
        point=conv(64, 64, 1, init=lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
        head=lambda: nn.Linear(64, 10),
        **parts,
    )


def patches(init, norm=None):
    return net(
        lambda m, x: m.head(F.gelu(m.norm(m.patch(x).flatten(2).transpose(1, 2))).mean(1)),
        patch=conv(3, 96, 16, 16, init=init),
        norm=(lambda: nn.LayerNorm(96)) if norm else nn.Identity,
        head=lambda: nn.Linear(96, 10),
    )


def whole(weight):
    nn.init.kaiming_uniform_(weight, nonlinearity="relu")


def each(weight):
    for matrix in weight.detach():
        nn.init.kaiming_uniform_(matrix.t(), nonlinearity="relu")


def experts(init, *, residual):
    def forward(m, x):
        h = m.norm(x) if residual else x
        share = m.router(h).softmax(-1)
        up = torch.einsum("bi,eio->beo", h, m.up).relu()
        mixed = (torch.einsum("beo,eoi->bei", up, m.down) * share.unsqueeze(-1)).sum(1)
        return m.head(m.final(x + mixed)) if residual else m.head(torch.relu(mixed))

    return net(
        forward,
        norm=lambda: nn.LayerNorm(64),
        final=lambda: nn.LayerNorm(64),
        router=lambda: nn.Linear(64, 4),
        up=drawn((4, 64, 128), init),
        down=drawn((4, 128, 64), init),
        head=lambda: nn.Linear(64, 10),
    )


def stored(init):
    return net(
        lambda m, x: m.head(torch.relu(torch.relu(x @ m.first) @ m.second)),
        first=drawn((64, 256), init),
        second=drawn((256, 64), init),
        head=lambda: nn.Linear(64, 10),
    )


def decoder(norm):
    def build():
        parts, widths = [], (64, 64, 48, 32, 16, 8)
        for index in range(5):
            parts += [nn.ConvTranspose2d(widths[index], widths[index + 1], 4, 2, 1)]
            parts += ([nn.BatchNorm2d(widths[index + 1])] if norm else []) + [nn.ReLU()]
        return nn.Sequential(*parts, nn.Conv2d(8, 3, 3, padding=1), nn.Tanh())

    return build


IMAGES = noise(16, 64, 12, 12)
COLOURS = noise(16, 3, 32, 32)
ROWS = noise(64, 64)

CASES = [
    ("depthwise-fan-out", depthwise(norm=False), IMAGES, says("warning", at="depth.weight", by=FAN)),
    ("depthwise-fan-out-batchnorm", depthwise(norm=True), IMAGES, says("info", at="depth.weight", by=FAN)),
    ("patches-xavier", patches(nn.init.xavier_uniform_), COLOURS, says("warning", at="patch.weight", by=FAN)),
    ("patches-xavier-norm", patches(nn.init.xavier_uniform_, norm=True), COLOURS, says("info", at="patch.weight")),
    ("experts-whole", experts(whole, residual=False), ROWS, says("warning", "error", at="up", by=FAN)),
    ("experts-whole-residual", experts(whole, residual=True), ROWS, says("warning", "error", at="up", by=FAN)),
    ("experts-each", experts(each, residual=False), ROWS, SILENT),
    ("experts-each-residual", experts(each, residual=True), ROWS, SILENT),
    ("transposed-storage", stored(whole), ROWS, says("warning", at="first", by=FAN)),
    ("transposed-storage-right", stored(lambda w: whole(w.t())), ROWS, NOTHING),
    ("decoder-batchnorm", decoder(norm=True), noise(16, 64, 1, 1), SILENT),
    ("decoder-plain", decoder(norm=False), noise(16, 64, 1, 1), says("error", at="4.weight", by=DEFAULT)),
]


@pytest.mark.parametrize(("build", "inputs", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_case(build, inputs, expected):
    judge(build, expected, inputs)


def test_patches_drawn_as_a_matrix():
    report = judge(patches(lambda w: nn.init.xavier_uniform_(w.view(len(w), -1), gain=1.5)), SILENT, COLOURS)
    assert FAN not in {finding.name for finding in report.findings}


@pytest.mark.parametrize(("width", "expected"), [(50, says("warning", at="join.weight", by=FAN)), (4, SILENT)])
def test_bilinear_default(width, expected):
    build = net(
        lambda m, x: m.head(torch.relu(m.join(x[:, :width], x[:, width:]))),
        join=lambda: nn.Bilinear(width, width, 64),
        head=lambda: nn.Linear(64, 10),
    )
    judge(build, expected, noise(64, 2 * width))


def test_packed_projections_under_xavier_are_told_of_at_most():
    def forward(m, x):
        q, k, v = (part.reshape(len(x), 6, 4, 16).transpose(1, 2) for part in m.qkv(m.norm(x)).chunk(3, -1))
        return m.head((x + m.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))).mean(1))

    def projection():
        layer = nn.Linear(64, 192)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        return layer

    build = net(forward, norm=lambda: nn.LayerNorm(64), qkv=projection, out=lambda: nn.Linear(64, 64), head=lambda: nn.Linear(64, 10))
    report = judge(build, says("info", at="qkv.weight", by=FAN), noise(32, 6, 64))
    assert "3 packed projections" in report.findings[0].message


def spectral():
    model = mlp(6, init=he())()
    for index, layer in enumerate(model):
        if isinstance(layer, nn.Linear):
            layer.weight.data.mul_(20.0)
            model[index] = nn.utils.parametrizations.spectral_norm(layer)
    return model


def test_spectral_norm_overrules_the_tensor():
    report = judge(spectral, says("nothing", "info", "warning", "error"))
    assert not {"weight-too-large", "weight-too-small", FAN, DEFAULT} & {finding.name for finding in report.findings}


def test_multipliers_overrule_the_tensor():
    build = net(
        lambda m, x: m.head(torch.relu(m.b(torch.relu(m.a(x) * 0.125)) * 0.125)),
        a=lambda: _normal(nn.Linear(64, 64), sqrt(2)),
        b=lambda: _normal(nn.Linear(64, 64), sqrt(2)),
        head=lambda: _normal(nn.Linear(64, 10), 1 / 64),
    )
    judge(build, NOTHING, ROWS)


def _normal(layer, std):
    normal(std)(layer)
    nn.init.zeros_(layer.bias)
    return layer


def test_transposed_convolution_under_kaiming():
    def layer():
        made = nn.ConvTranspose2d(64, 16, 4, 2, 1)
        nn.init.kaiming_normal_(made.weight, nonlinearity="relu")
        return made

    build = net(lambda m, x: m.out(torch.relu(m.up(x))), up=layer, out=lambda: nn.Conv2d(16, 3, 3))
    judge(build, NOTHING, noise(16, 64, 8, 8))
