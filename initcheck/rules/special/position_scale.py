"""IC605."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.standing import own_start

SCORES = ("softmax", "log_softmax", "attention")


@dataclass(frozen=True)
class PositionScale(LayerRule):
    """A table of positions drowns the data that it is added to.

    Why: the sum of a large table and a small embedding is the table: after the first normalization nearly nothing of the input is left, and the model sees where
        a token stands but not which one it is.
    Silent when: the table's mean square is below 25 times that of the data (zeros, 0.02 beside 0.02, N(0, 1) beside projected features as in DETR); info up to 100 times;
        the table is frozen or loaded; it is added to attention scores (relative-position-not-small), or holds
        scores itself (values of -1000 and beyond stand for what must not happen); the data themselves are zero.
    Source: measured on the sum: the share of the input in what the model reads is 1 / (1 + ratio).
    """

    code: ClassVar[str] = "IC605"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("signal-explodes",)
    warns: float = tolerance(100.0, "largest ratio of the mean squares of table and data that is no warning")
    notes: float = tolerance(25.0, "largest ratio that is no info")
    forbidden: float = tolerance(-1000.0, "values from here downwards stand for the impossible in a table of scores")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.tokens = nn.Embedding(50, 32)\n        nn.init.normal_(self.tokens.weight, std=0.02)\n"
            "        self.positions = nn.Parameter(torch.randn(1, 8, 32))\n        self.norm = nn.LayerNorm(32)\n        self.head = nn.Linear(32, 4)\n\n"
            "    def forward(self, ids):\n        return self.head(self.norm(self.tokens(ids) + self.positions))\n\n\nmodel = Tagger()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.tokens = nn.Embedding(50, 32)\n        nn.init.normal_(self.tokens.weight, std=0.02)\n"
            "        self.positions = nn.Parameter(torch.randn(1, 8, 32) * 0.02)\n        self.norm = nn.LayerNorm(32)\n        self.head = nn.Linear(32, 4)\n\n"
            "    def forward(self, ids):\n        return self.head(self.norm(self.tokens(ids) + self.positions))\n\n\nmodel = Tagger()\n",
            input_shape=(8,),
            integers=50,
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if (
            layer.kind != "bias"
            or stats is None
            or sum(size > 1 for size in stats.shape) < 2
            or stats.nonfinite
            or stats.second_moment == 0
            or stats.minimum <= self.forbidden
        ):
            return
        if not own_start(layer.weight, evidence) or set(layer.feeds.get()) & set(SCORES):
            return
        table, data = layer.applied_second_moment.get(), layer.input_second_moment.get()
        if not data > 0 or table <= self.notes * data:
            return
        ratio = table / data
        yield self.finding(
            (layer.weight,),
            f"a table of positions is {ratio**0.5:.3g} times as large as the data that it is added to",
            severity="warning" if ratio > self.warns else "info",
            observed=f"root mean square {table**0.5:.3g} beside {data**0.5:.3g}: the input is {100 / (1 + ratio):.2g} % of the sum's mean square",
            expected=f"about {data**0.5:.2g} or less",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix(
                (layer.weight,),
                InitCall("normal_", (("std", float(f"{data**0.5:.1g}")),)),
                "unsafe",
                f"draw the table at the scale of the data: nn.init.normal_ with std {data**0.5:.1g}",
            ),
            note="added to the data",
            why="What follows normalizes the sum, and with it the input shrinks to a ripple on the table.",
        )
