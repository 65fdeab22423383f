"""IC703."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, LayerRule, tolerance, written_at
from initcheck.rules.remedies import redraw

BAG = (
    "import torch\nfrom torch import nn\n\n\nclass Bag(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.tokens = nn.Embedding(100, 32, padding_idx=0)\n        with torch.no_grad():\n            self.tokens.weight[{rows}].zero_()\n"
    "        self.fc = nn.Linear(32, 4)\n\n    def forward(self, ids):\n        return self.fc(self.tokens(ids).mean(1))\n\n\nmodel = Bag()\n"
)

NOT_TOKENS = ("pos", "type", "seg", "time")
"""Parts of names of the tables that are added to the tokens' own, where zero is a usual start."""


@dataclass(frozen=True)
class EmbeddingWiped(LayerRule):
    """An embedding table is zero, or all but a few of its rows are.

    Why: all these tokens start as one and the same vector: whatever follows cannot tell them apart, and what multiplies them gets no gradient.
    Silent when: the zeros are part of something else: the table's output is added to other data (a correction, LoRA), multiplies or joins it, or
        is the model's output itself; position tables; frozen tables; tables loaded from a file or filled with outside vectors (words without a vector
        are zero there); a few zero rows.
    Source: exact count of the zero rows; what the table feeds, from the run.
    """

    code: ClassVar[str] = "IC703"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "dead-units", "identical-units", "constant-weight", "no-gradient", "correlated-outputs")
    fails: float = tolerance(0.9, "smallest share of zero rows that is an error")
    warns: float = tolerance(0.5, "smallest share of zero rows that is a warning")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(bad=BAG.format(rows=":"), good=BAG.format(rows="0"), input_shape=(6,), integers=100),
        Example(bad=BAG.format(rows="1:"), good=BAG.format(rows=":1"), input_shape=(6,), integers=100),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats, record = evidence.stats(layer.weight), evidence.record(layer.weight)
        table = next((table for table in evidence.tables if table.parameter == layer.weight), None)
        if stats is None or stats.nonfinite or stats.numel < 2:
            return
        zeros = 1.0 if stats.second_moment == 0 else table.zero_rows / table.rows if table is not None and table.rows >= 8 else 0.0
        if zeros < self.warns or ("embedding" not in layer.kinds and (table is None or layer.feeds.known())):
            return  # what the run looks up by constant numbers is no table of tokens but of positions
        ruling = record.ruling() if record is not None else None
        if (record is not None and not record.trainable) or (ruling is not None and ruling.origin in ("loaded", "external")):
            return
        if not _alone(layer, evidence) or evidence.flow(layer.weight) == "unreached":
            return
        if table is None or zeros == 1:
            yield self._say(layer, evidence, "error", "the whole table is zero: all tokens are the same", f"{stats.numel:,} zeros")
        else:
            grave = zeros >= self.fails
            message = "nearly all rows of the table are zero" if grave else "most rows of the table are zero"
            observed = f"{table.zero_rows:,} of {table.rows:,} rows are zero"
            yield self._say(layer, evidence, "error" if grave else "warning", message, observed)

    def _say(self, layer: Layer, evidence: Evidence, severity: Severity, message: str, observed: str) -> Finding:
        record = evidence.record(layer.weight)
        later = record.later() if record is not None else ()
        wiped = next((write.location.get() for write in reversed(later) if write.location.known()), None)
        return self.finding(
            (layer.weight,),
            message,
            severity=severity,
            observed=observed,
            expected="random rows; zero only in the padding row",
            location=wiped or written_at(record),
            fix=redraw(
                (layer.weight,),
                evidence,
                "draw the table at random, nn.init.normal_(weight, std=0.02), and zero weight[padding_idx] alone",
            ),
            note="wiped",
            why="Tokens with the same vector cannot be told apart until training has pulled them out one by one.",
        )


def _alone(layer: Layer, evidence: Evidence) -> bool:
    """Whether the table is the only thing that tells what follows about the input."""
    feeds = layer.feeds.get()
    if set(feeds) <= {"output", "softmax", "log_softmax"} or layer.closes_branch or set(layer.merges) & {"concat", "gate_multiply"}:
        return False
    if "sum" in layer.merges:
        return _holds_tokens(layer, evidence)
    if "residual_add" in feeds:
        return True  # it starts the residual stream
    following = [found for name in layer.outgoing if (found := evidence.layer(name)) is not None]
    return not any(other.closes_branch or "sum" in other.merges for other in following)


def _holds_tokens(layer: Layer, evidence: Evidence) -> bool:
    """Whether nothing but rows of other tables is added and this one holds the tokens: it is the output head too, or the largest."""
    others = [
        other
        for other in evidence.layers
        if other.weight != layer.weight and other.kind not in ("bias", "norm", "scale") and set(other.outgoing) & set(layer.outgoing)
    ]
    head = len(layer.kinds) > 1  # a tied table
    beside = bool(others) and all("embedding" in other.kinds and (head or other.shape[0] < layer.shape[0]) for other in others)
    return beside and not any(part in layer.weight for part in NOT_TOKENS)
