"""IC704."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Head, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import MATRIX_KINDS, ModelRule, tolerance, written_at
from initcheck.rules.logits import FAILS, WARNS, logit_heads, loss_severity


@dataclass(frozen=True)
class HeadTooLarge(ModelRule):
    """The output head is drawn so wide that the first loss is far above ln C.

    Why: logits of standard deviation s cost about s^2/2 nats at first (less for large s); the first steps go into shrinking them, and the
        gradient that reaches everything before the head is as many times too large.
    Silent when: the excess over ln C is below 3 nats, the head's gain (std * sqrt(fan_in)) is at most 3 or a head of gain 1 would
        make large logits too (then large features are to blame, not the head), the output passes a nonlinearity, a normalization or a residual sum, has a single unit, or the excess comes from the head's bias.
        Outputs that are no logits (a regression onto large targets) may well start at such a scale: ignore the rule there.
    Source: cross-entropy under uniform labels, measured; Karpathy 2019, A Recipe for Training Neural Networks (verify the loss at init); on digits an
        excess of 29 nats costs 1 to 5 points with a tuned learning rate and all with an untuned one.
    """

    code: ClassVar[str] = "IC704"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("initial-loss-too-high",)
    warns: float = tolerance(WARNS, "smallest excess of the first loss over ln C, in nats, that is a warning")
    fails: float = tolerance(FAILS, "smallest excess in nats that is an error")
    gain: float = tolerance(
        3.0,
        "largest gain, std * sqrt(fan_in), of a head that is not blamed; and largest standard deviation of the logits that gain 1 would make",
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 256), nn.LayerNorm(256), nn.Linear(256, 10))\n"
            "nn.init.normal_(model[2].weight)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 256), nn.LayerNorm(256), nn.Linear(256, 10))\n"
            "nn.init.normal_(model[2].weight, std=0.01)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        for head in logit_heads(evidence):
            severity = loss_severity(head.output.excess_loss, self.warns, self.fails)
            if severity is None:
                continue
            for weight in head.weights:
                layer = evidence.layer(weight)
                if layer is not None and layer.kind in MATRIX_KINDS and "embedding" not in layer.kinds and self._to_blame(layer, head):
                    yield self._say(layer, head, evidence, severity)

    def _to_blame(self, layer: Layer, head: Head) -> bool:
        """Whether the head is wide, and at gain 1 would make logits of an ordinary size."""
        gain = layer.gain.get()
        return gain > self.gain and head.output.logit_std / gain <= self.gain

    def _say(self, layer: Layer, head: Head, evidence: Evidence, severity: Severity) -> Finding:
        root = layer.fan_in.get() ** 0.5
        return self.finding(
            (layer.weight,),
            f"logits with standard deviation {head.output.logit_std:.3g}: the first loss would be {head.output.excess_loss:.3g} above ln {head.output.classes}",
            severity=severity,
            observed=f"std {layer.gain.get() / root:.3g}, gain {layer.gain.get():.3g} (fan_in {layer.fan_in.get()})",
            expected=f"std at most {1 / root:.2g} (gain 1), logits of standard deviation 1 or less",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix(
                (layer.weight,),
                InitCall("normal_", (("mean", 0.0), ("std", 0.01))),
                "unsafe",
                "start the head small: nn.init.normal_(weight, std=0.01), or at zero",
            ),
            note=f"gain {layer.gain.get():.3g}",
            why="The model starts certain and wrong; draw the head smaller, or divide the learning rate by as much.",
        )
