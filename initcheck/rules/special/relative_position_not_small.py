"""IC606."""

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

SCORES = ("softmax", "attention")


@dataclass(frozen=True)
class RelativePositionNotSmall(LayerRule):
    """A table that is added to attention scores is so large that it decides the attention alone.

    Why: a softmax over scores whose variance is far above one puts all its weight on one key; when the variance comes from a random table, every query looks at one
        random position whatever the input, and the gradient through the softmax is nearly zero.
    Silent when: the table's variance is at most 10 (zeros, 0.02, N(0, 1)), all its entries are equal (a softmax ignores a constant), or it is frozen (ALiBi slopes, masks) or
        loaded.
    Source: attention logits with a variance above 10 are saturated at the start; Raffel et al. 2020, arXiv:1910.10683 and Liu et al. 2021, arXiv:2103.14030 for small starts.
    """

    code: ClassVar[str] = "IC606"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ()
    largest: float = tolerance(10.0, "largest variance of the scores that is no warning")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Mixer(nn.Module):\n    def __init__(self, std):\n        super().__init__()\n"
            "        self.qkv = nn.Linear(32, 96)\n        self.table = nn.Parameter(torch.randn(6, 6) * std)\n        self.head = nn.Linear(32, 4)\n\n"
            "    def forward(self, x):\n        q, k, v = self.qkv(x).chunk(3, -1)\n"
            "        return self.head(torch.softmax(q @ k.transpose(1, 2) / 32**0.5 + self.table, -1) @ v)\n\n\nmodel = Mixer(20.0)\n",
            good="import torch\nfrom torch import nn\n\n\nclass Mixer(nn.Module):\n    def __init__(self, std):\n        super().__init__()\n"
            "        self.qkv = nn.Linear(32, 96)\n        self.table = nn.Parameter(torch.randn(6, 6) * std)\n        self.head = nn.Linear(32, 4)\n\n"
            "    def forward(self, x):\n        q, k, v = self.qkv(x).chunk(3, -1)\n"
            "        return self.head(torch.softmax(q @ k.transpose(1, 2) / 32**0.5 + self.table, -1) @ v)\n\n\nmodel = Mixer(0.02)\n",
            input_shape=(6, 32),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if (
            layer.kind != "bias"
            or stats is None
            or stats.nonfinite
            or stats.std**2 <= self.largest
            or not own_start(layer.weight, evidence)
        ):
            return
        if not set(layer.feeds.get()) & set(SCORES):
            return
        variance = (layer.affine.get()[0] * stats.std) ** 2
        if variance <= self.largest:
            return
        yield self.finding(
            (layer.weight,),
            f"a table added to attention scores has a standard deviation of {variance**0.5:.3g}: it decides the attention alone",
            observed=f"variance {variance:.3g}",
            expected=f"small beside 1, and at most {self.largest:g}",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix(
                (layer.weight,), InitCall("zeros_"), "unsafe", "start the table at zero, or small: nn.init.trunc_normal_(table, std=0.02)"
            ),
            note="added to attention scores",
            why="The softmax puts its weight on the largest entries of the table, whatever queries and keys say.",
        )
