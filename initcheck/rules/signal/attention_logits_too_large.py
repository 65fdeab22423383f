"""IC113."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Attention, Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.remedies import rescale

_MODEL = (
    "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.query = nn.Linear(64, 64)\n"
    "        self.key = nn.Linear(64, 64)\n        self.value = nn.Linear(64, 64)\n        self.head = nn.Linear(64, 10)\n"
    "        for layer in (self.query, self.key):\n            {init}\n\n    def forward(self, x):\n"
    "        mixed = nn.functional.scaled_dot_product_attention(*(part(x).unsqueeze(1) for part in (self.query, self.key, self.value)))\n"
    "        return self.head((x + mixed.squeeze(1)).mean(1))\n\n\nmodel = Net()\n"
)


@dataclass(frozen=True)
class AttentionLogitsTooLarge(ModelRule):
    """Attention logits are so spread out that each softmax starts nearly one-hot.

    Why: with a logit variance far above 1 a query attends to one or two keys that chance picked, and the softmax passes hardly any gradient to queries and keys.
    Silent when: the variance along a row is at most 10 (1/sqrt(d)-scaled attention of Xavier-sized projections starts at 0.25 to 1), a row has fewer
        than four keys, or position biases and masks make the spread: only the content logits q k^T, scale included, count.
    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1; exp(variance) is how much more concentrated than uniform a softmax of normal
        logits is, until it saturates.
    """

    code: ClassVar[str] = "IC113"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("scale-outlier",)
    symptom: ClassVar[bool] = True
    largest: float = tolerance(10.0, "largest variance of the attention logits along a row")
    fewest: float = tolerance(4.0, "fewest keys of a row that is judged")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=_MODEL.format(init="nn.init.normal_(layer.weight, std=0.3)"),
            good=_MODEL.format(init="nn.init.xavier_uniform_(layer.weight)"),
            input_shape=(8, 64),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found: list[tuple[float, Attention]] = []
        unknown: NotKnown | None = None
        for attention in evidence.attentions:
            if attention.keys < self.fewest or not attention.projections:
                continue
            try:
                variance = attention.logit_variance.get()
            except NotKnown as reason:
                unknown = reason
                continue
            if variance > self.largest and attention.biased:
                unknown = NotKnown("position biases of unknown size are part of the attention logits")
            elif variance > self.largest:
                found.append((variance, attention))
        if found:
            yield self._say(found, evidence)
        if unknown is not None:
            raise unknown

    def _say(self, found: list[tuple[float, Attention]], evidence: Evidence) -> Finding:
        variance, worst = max(found, key=lambda pair: pair[0])
        names = tuple(dict.fromkeys(name for _, attention in found for name in attention.projections))
        return self.finding(
            names,
            f"attention starts nearly one-hot: the logits of a row have a variance of {variance:.3g}",
            observed=f"standard deviation {variance**0.5:.2g} over {worst.keys} keys",
            expected="a variance of about 1 (standard deviation of q and k together smaller by "
            f"{variance**0.25:.2g} each), at most {self.largest:.0f}",
            location=written_at(evidence.record(worst.projections[0])),
            fix=rescale(names, variance**-0.25, f"queries and keys {variance**0.25:.2g} times smaller each: nn.init.xavier_uniform_, or"),
            note="makes attention logits",
            why="A saturated softmax passes no gradient to queries and keys.",
        )
