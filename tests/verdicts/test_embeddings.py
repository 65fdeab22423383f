"""Embedding tables in their places: what is a fault in one is a good start in another."""

import math

import pytest
import torch
from torch import nn

from tests.verdicts.verdict import NOTHING, SILENT, judge, says

WORDS = torch.randint(1, 200, (32, 8), generator=torch.Generator().manual_seed(0))


class Bag(nn.Module):
    """Mean of embeddings, then a small classifier."""

    def __init__(self, edit=None, padding=None, width=32):
        super().__init__()
        self.tokens = nn.Embedding(200, width, padding_idx=padding)
        self.fc = nn.Linear(width, 10)
        if edit is not None:
            with torch.no_grad():
                edit(self.tokens)

    def forward(self, ids):
        return self.fc(self.tokens(ids).mean(1))


class Language(nn.Module):
    """A small pre-norm language model with a tied head."""

    def __init__(self, std, into=1.0, out=1.0, width=128, positions=None):
        super().__init__()
        self.tokens = nn.Embedding(200, width)
        self.positions = nn.Embedding(8, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.into, self.out = into, out
        nn.init.normal_(self.tokens.weight, std=std) if std else nn.init.zeros_(self.tokens.weight)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.given = positions

    def forward(self, ids):
        order = torch.arange(ids.shape[1]) if self.given is None else ids.cumsum(1).clamp(max=7)
        x = self.tokens(ids) * self.into + self.positions(order)
        q, k, v = self.qkv(self.norms[0](x)).chunk(3, -1)
        x = x + self.proj(torch.nn.functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0])
        x = x + self.down(torch.nn.functional.gelu(self.up(self.norms[1](x))))
        return nn.functional.linear(self.norms[2](x) * self.out, self.tokens.weight)


@pytest.mark.parametrize(
    ("std", "into", "out"),
    [(0.02, 1.0, 1.0), (1.0, 1.0, 128**-0.5 / 2), (128**-0.5 / 2, 128**0.5, 1.0)],
    ids=["small", "scaled-out", "scaled-in"],
)
def test_tied_tables_whose_effect_is_small(std, into, out):
    judge(lambda: Language(std, into, out), NOTHING, WORDS)


def test_tied_table_of_unit_normals():
    report = judge(lambda: Language(1.0), says("error", at="tokens.weight", by="embedding-scale"), WORDS)
    assert report.findings[0].symptoms


def test_wide_untied_table_in_front_of_a_plain_head():
    judge(lambda: Bag(lambda t: t.weight.normal_(0, 50)), says("warning", "error", at="tokens.weight", by="embedding-scale"), WORDS)


def test_wide_untied_table_in_front_of_a_normalization():
    class Normed(Bag):
        def __init__(self):
            super().__init__(lambda t: t.weight.normal_(0, 50))
            self.norm = nn.LayerNorm(32)

        def forward(self, ids):
            return self.fc(self.norm(self.tokens(ids).mean(1)))

    judge(Normed, SILENT, WORDS)


def zero_column(tokens):
    tokens.weight.normal_(0, 0.1)
    tokens.weight[:, 0].zero_()


PADDING = [
    (
        "overwritten",
        lambda: Bag(lambda t: t.weight.normal_(0, 0.1), padding=0),
        says("warning", at="tokens.weight", by="padding-row-not-zero"),
    ),
    ("wrong-axis", lambda: Bag(zero_column, padding=0), says("warning", at="tokens.weight", by="padding-row-not-zero")),
    ("default", lambda: Bag(padding=0), NOTHING),
    ("no-padding-index", lambda: Bag(lambda t: t.weight.normal_(0, 0.1)), NOTHING),
    ("frozen", lambda: Bag(lambda t: t.weight.normal_(0, 0.1).requires_grad_(False), padding=0), NOTHING),
    ("outside-vectors", lambda: Bag(lambda t: t.weight.copy_(outside()), padding=0), NOTHING),
]


def outside():
    import numpy as np

    return torch.from_numpy(np.random.default_rng(0).normal(size=(200, 32)).astype("float32"))


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in PADDING], ids=[row[0] for row in PADDING])
def test_padding_row(build, expected):
    judge(build, expected, WORDS)


def test_a_zero_column_is_pointed_at():
    report = judge(lambda: Bag(zero_column, padding=0), says("warning"), WORDS)
    assert "weight[:, 0]" in report.findings[0].message


class Conditional(nn.Module):
    """Class-conditional batch normalization: gains of one and shifts of zero come from one table."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Linear(16, 32)
        self.norm = nn.BatchNorm1d(32, affine=False)
        self.table = nn.Embedding(10, 64)
        with torch.no_grad():
            self.table.weight[:, :32].fill_(1.0)
            self.table.weight[:, 32:].zero_()
        self.head = nn.Linear(32, 4)

    def forward(self, x, label):
        gain, shift = self.table(label).chunk(2, 1)
        return self.head(torch.relu(gain * self.norm(self.conv(x)) + shift))


class Corrected(nn.Module):
    """A table with a low-rank correction whose first factor is zero."""

    def __init__(self):
        super().__init__()
        self.base = nn.Embedding(200, 32)
        self.low = nn.Embedding(200, 4)
        nn.init.zeros_(self.low.weight)
        self.up = nn.Linear(4, 32, bias=False)
        self.head = nn.Linear(32, 10)

    def forward(self, ids):
        return self.head((self.base(ids) + self.up(self.low(ids))).mean(1))


class Ratings(nn.Module):
    """Matrix factorization with bias tables of zeros."""

    def __init__(self):
        super().__init__()
        self.users, self.items = nn.Embedding(200, 16), nn.Embedding(200, 16)
        self.user_bias, self.item_bias = nn.Embedding(200, 1), nn.Embedding(200, 1)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, ids):
        user, item = ids[:, 0], ids[:, 1]
        return (self.users(user) * self.items(item)).sum(1) + self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]


def linear_classifier():
    model = nn.EmbeddingBag(200, 10)
    nn.init.zeros_(model.weight)
    return model


def positions_zero():
    model = Language(0.02, positions="given")
    nn.init.zeros_(model.positions.weight)
    return model


WIPED = [
    ("zero", lambda: Bag(lambda t: t.weight.zero_()), "error"),
    ("all-but-one", lambda: Bag(lambda t: t.weight[1:].zero_()), "error"),
    ("all-but-the-padding", lambda: Bag(lambda t: t.weight[1:].zero_(), padding=0), "error"),
    ("two-thirds", lambda: Bag(lambda t: t.weight[70:].zero_()), "warning"),
    ("tokens-beside-positions", lambda: Language(0.0), "error"),
    ("tokens-beside-given-positions", lambda: Language(0.0, positions="given"), "error"),
]


class Summed(nn.Module):
    """Tokens, counted positions and given segments are added and normalized; the head is tied."""

    def __init__(self, wiped, *, tied=True):
        super().__init__()
        self.tokens, self.positions, self.segments = nn.Embedding(200, 32), nn.Embedding(512, 32), nn.Embedding(2, 32)
        self.norm, self.fc = nn.LayerNorm(32), nn.Linear(32, 32)
        self.head = nn.Linear(32, 200, bias=False)
        for table in (self.tokens, self.positions, self.segments):
            nn.init.normal_(table.weight, std=0.02)
        nn.init.zeros_(getattr(self, wiped).weight)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.positions((ids > 0).long().cumsum(1)) + self.segments((ids > 100).long())
        return self.head(torch.tanh(self.fc(self.norm(x))))


def test_tokens_among_summed_tables():
    judge(lambda: Summed("tokens"), says("error", at="tokens.weight", by="embedding-wiped"), WORDS)


@pytest.mark.parametrize("which", ["positions", "segments"])
def test_zero_positions_and_segments_among_summed_tables(which):
    judge(lambda: Summed(which), SILENT, WORDS)
    judge(lambda: Summed(which, tied=False), SILENT, WORDS)


@pytest.mark.parametrize(("build", "level"), [row[1:] for row in WIPED], ids=[row[0] for row in WIPED])
def test_wiped_tables(build, level):
    judge(build, says(level, at="tokens.weight", by="embedding-wiped"), WORDS)


def fixed_positions_zero():
    model = Language(0.02)
    nn.init.zeros_(model.positions.weight)
    return model


INTENDED = [
    ("positions-by-count", fixed_positions_zero, WORDS),
    ("conditional-norm", Conditional, (torch.randn(32, 16), torch.arange(32) % 10)),
    ("low-rank", Corrected, WORDS),
    ("bias-tables", Ratings, WORDS),
    ("linear-classifier", linear_classifier, WORDS),
    ("positions", positions_zero, WORDS),
    ("a-few-rows", lambda: Bag(lambda t: t.weight[50:60].zero_()), WORDS),
]


@pytest.mark.parametrize(("build", "inputs"), [row[1:] for row in INTENDED], ids=[row[0] for row in INTENDED])
def test_zeros_that_are_meant(build, inputs):
    judge(build, SILENT, inputs)


def test_sinusoid_table_is_nothing():
    def sinusoid(tokens):
        angle = torch.arange(200)[:, None] / 10000 ** (torch.arange(0, 32, 2) / 32)[None]
        tokens.weight.copy_(torch.cat([angle.sin(), angle.cos()], 1) / math.sqrt(2))

    judge(lambda: Bag(sinusoid), NOTHING, WORDS)
