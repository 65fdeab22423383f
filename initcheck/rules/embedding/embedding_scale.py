"""IC701."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Head, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.logits import FAILS, WARNS, logit_heads, loss_severity
from initcheck.rules.remedies import redraw

TOKENS = (
    "from torch import nn\n\n\nclass Words(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.tokens = nn.Embedding(500, 128)\n{init}        self.norm = nn.LayerNorm(128)\n        self.head = nn.Linear(128, 500, bias=False)\n"
    "        self.head.weight = self.tokens.weight\n\n    def forward(self, ids):\n        return self.head(self.norm(self.tokens(ids)))\n\n\nmodel = Words()\n"
)


@dataclass(frozen=True)
class EmbeddingScale(ModelRule):
    """An embedding table is so large that the first loss is far above ln C.

    Why: rows of unit normals fit an input, but as a tied output head they make logits of standard deviation sqrt(d): 22.6 at d = 512, a loss of 84
        instead of 8.5. A very wide table in front of an unnormalized head does the same.
    Silent when: the loss at the start, measured, is less than 3 nats above ln C: an untied N(0, 1) table, a tied one whose features or logits are scaled
        down (by d^-1/2, as T5 does), or one behind which a normalization or a residual sum stands. A tied table is only blamed above gain 3
        (std * sqrt(d)), an untied one above a root mean square of 3; below, the features are to blame.
    Source: measured cross-entropy under uniform labels; Press and Wolf 2017, arXiv:1608.05859 for tied tables; Raffel et al. 2020, arXiv:1910.10683 for the scaled form.
    """

    code: ClassVar[str] = "IC701"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = ("initial-loss-too-high",)
    warns: float = tolerance(WARNS, "smallest excess of the first loss over ln C, in nats, that is a warning")
    fails: float = tolerance(FAILS, "smallest excess in nats that is an error")
    largest: float = tolerance(3.0, "largest gain of a tied table, or root mean square of an untied one, that is not blamed")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=TOKENS.format(init=""),
            good=TOKENS.format(init="        nn.init.normal_(self.tokens.weight, std=0.02)\n"),
            input_shape=(8,),
            integers=500,
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        for head in logit_heads(evidence):
            severity = loss_severity(head.output.excess_loss, self.warns, self.fails)
            if severity is None:
                continue
            for layer in evidence.layers:
                if "embedding" in layer.kinds and layer.weight in head.weights and layer.gain.get() > self.largest:
                    yield self._tied(layer, head, evidence, severity)
                elif layer.kind == "embedding" and self._reaches(layer, head, evidence) and self._rms(layer, evidence) > self.largest:
                    yield self._wide(layer, head, evidence, severity)

    def _rms(self, layer: Layer, evidence: Evidence) -> float:
        stats = evidence.stats(layer.weight)
        return stats.second_moment**0.5 if stats is not None else 0.0

    def _reaches(self, layer: Layer, head: Head, evidence: Evidence) -> bool:
        """Whether the table's scale arrives at the head: no normalization, residual sum or bounded nonlinearity in between."""
        waiting, seen = [layer], {layer.weight}
        while waiting:
            here = waiting.pop()
            passes = (
                "weight_layer",
                "relu",
                "leaky_relu",
                "prelu",
                "elu",
                "gelu",
                "gelu_tanh",
                "silu",
                "mish",
                "hardswish",
                "selu",
                "celu",
            )
            if not here.feeds.known() or not set(here.feeds.get()) <= set(passes) or not set(here.then) <= {*passes, "output"}:
                continue
            if set(here.outgoing) & set(head.weights):
                return True
            for name in here.outgoing:
                following = evidence.layer(name)
                if following is not None and name not in seen:
                    seen.add(name)
                    waiting.append(following)
        return False

    def _tied(self, layer: Layer, head: Head, evidence: Evidence, severity: Severity) -> Finding:
        width = layer.fan_in.get()
        return self.finding(
            (layer.weight,),
            f"the table is also the output head and makes logits with standard deviation {head.output.logit_std:.3g}",
            severity=severity,
            observed=f"std {layer.gain.get() / width**0.5:.3g} at width {width} (gain {layer.gain.get():.3g}); first loss {head.output.excess_loss:.3g} above ln {head.output.classes}",
            expected=f"std at most {width**-0.5:.2g} (0.02 is customary)",
            location=written_at(evidence.record(layer.weight)),
            fix=redraw(
                (layer.weight,), evidence, "use nn.init.normal_(weight, std=0.02), or multiply the features by d**-0.5 before the head"
            ),
            note="also the output head",
            why="What is a fit scale for an input is sqrt(d) times too large for a head that sums over d features.",
        )

    def _wide(self, layer: Layer, head: Head, evidence: Evidence, severity: Severity) -> Finding:
        return self.finding(
            (layer.weight,),
            "the table is so wide that the logits start far too large",
            severity=severity,
            observed=f"root mean square {self._rms(layer, evidence):.3g}; logits with standard deviation {head.output.logit_std:.3g}, first loss {head.output.excess_loss:.3g} above ln {head.output.classes}",
            expected="root mean square 0.02 to 1",
            location=written_at(evidence.record(layer.weight)),
            fix=redraw((layer.weight,), evidence, "use nn.init.normal_(weight, std=0.02), or 1 at most"),
            note="too wide",
            why="Nothing between the table and the head takes its scale away.",
        )
