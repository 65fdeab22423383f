"""IC107."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.logits import FAILS, WARNS, logit_heads, loss_severity
from initcheck.rules.remedies import rescale

_MODEL = (
    "from torch import nn\n\n\nclass Scaled(nn.Module):\n    def forward(self, x):\n        return {factor} * x\n\n\n"
    "model = nn.Sequential(nn.Linear(64, 256), nn.LayerNorm(256), Scaled(), nn.Linear(256, 10))\n"
)

HOT = (
    "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.body, self.norm, self.head = nn.Linear(64, 256), nn.LayerNorm(256), nn.Linear(256, 10)\n\n"
    "    def forward(self, x):\n        return {factor} * self.head(self.norm(self.body(x)))\n\n\nmodel = Net()\n"
)


@dataclass(frozen=True)
class InitialLossTooHigh(ModelRule):
    """The outputs, read as logits, are so large that the first loss is far above ln C.

    Why: the model starts out certain and wrong; the first steps only shrink the logits, at a learning rate that the rest cannot bear.
    Silent when: the excess over ln C is below 3 nats (an ordinary He-sized head starts 0.5 to 2 above it), there are fewer than two outputs,
        the outputs do not come straight from a weight layer, or the head's bias makes the excess (a class prior, or one that a step or two corrects).
    Source: cross-entropy under random labels; Karpathy 2019, A Recipe for Training Neural Networks; bands measured with tuned learning rates.
    """

    code: ClassVar[str] = "IC107"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    symptom: ClassVar[bool] = True
    warns: float = tolerance(WARNS, "smallest excess in nats that is a warning")
    fails: float = tolerance(FAILS, "smallest excess in nats that is an error")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=HOT.format(factor=20),
            good=HOT.format(factor=1),
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        heads = logit_heads(evidence)
        worst = max(heads, key=lambda head: head.output.excess_loss, default=None)
        severity = loss_severity(worst.output.excess_loss, self.warns, self.fails) if worst is not None else None
        if worst is None or severity is None:
            return
        yield self.finding(
            worst.weights,
            f"the first loss would be {worst.output.excess_loss:.3g} above ln {worst.output.classes}",
            severity=severity,
            observed=f"logits with standard deviation {worst.output.logit_std:.3g}",
            expected="at most 1",
            location=written_at(evidence.record(worst.weights[-1])),
            fix=rescale(
                worst.weights,
                1.0 / worst.output.logit_std,
                f"start the head {worst.output.logit_std:.3g} times smaller, for logits of standard deviation 1",
            ),
            note="makes the logits",
            why="The model starts certain and wrong; lower the learning rate by as much, or draw the head smaller.",
        )
