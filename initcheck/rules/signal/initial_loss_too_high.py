"""IC107."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example
from initcheck.rules.base import ModelRule, tolerance, written_at


@dataclass(frozen=True)
class InitialLossTooHigh(ModelRule):
    """The outputs, read as logits, are so large that the first loss is far above ln C.

    Why: the model starts out certain and wrong; the first steps only shrink the logits, at a learning rate that the rest cannot bear.
    Silent when: the excess over ln C is below 3 nats (an ordinary He-sized head starts 0.5 to 2 above it), there are fewer than two outputs, or the outputs do not come from a weight layer.
    Source: cross-entropy under random labels; Karpathy 2019, A Recipe for Training Neural Networks; bands measured with tuned learning rates.
    """

    code: ClassVar[str] = "IC107"
    severity: ClassVar[Severity] = "warning"
    symptom: ClassVar[bool] = True
    warns: float = tolerance(3.0, "smallest excess in nats that is a warning")
    fails: float = tolerance(25.0, "smallest excess in nats that is an error")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 256), nn.LayerNorm(256), nn.Linear(256, 10))\nnn.init.normal_(model[2].weight)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 256), nn.LayerNorm(256), nn.Linear(256, 10))\n"
            "nn.init.normal_(model[2].weight, std=0.02)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        heads = [
            layer
            for layer in evidence.layers
            if layer.feeds.known() and "output" in layer.feeds.get() and layer.kind not in ("norm", "bias", "scale")
        ]
        plain = [layer for layer in heads if not layer.closes_branch and layer.uses > 0]
        if not plain or not evidence.outputs:
            return
        worst = max(evidence.outputs, key=lambda output: output.excess_loss)
        if not worst.excess_loss > self.warns or worst.classes < 2:
            return
        severity: Severity = "error" if worst.excess_loss > self.fails else "warning"
        head = plain[-1]
        yield self.finding(
            (head.weight,),
            f"the first loss would be {worst.excess_loss:.3g} above ln {worst.classes}",
            severity=severity,
            observed=f"logits with standard deviation {worst.logit_std:.3g}",
            expected="at most 1",
            location=written_at(evidence.record(head.weight)),
            fix=Fix(
                (head.weight,),
                InitCall("normal_", (("std", 0.01),)),
                "unsafe",
                "start the head small: nn.init.normal_(weight, std=0.01), or at zero",
            ),
            note="makes the logits",
            why="The model starts certain and wrong; lower the learning rate by as much, or draw the head smaller.",
        )
