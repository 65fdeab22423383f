"""IC705."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, written_at

BRANCHED = (
    "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.stem, self.up, self.down, self.head = nn.Linear(16, 32), nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 4)\n"
    "        nn.init.zeros_(self.head.weight)\n{branch}\n    def forward(self, x):\n        x = self.stem(x)\n"
    "        return self.head(x + self.down(torch.relu(self.up(x))))\n\n\nmodel = Net()\n"
)


@dataclass(frozen=True)
class ZeroHeadBlocksGradient(ModelRule):
    """The output head is zero, and what lies before it waits for more than the first update.

    Why: gradient passes a head through its weights, so at the first step a zero head alone learns. With another zero behind it (the last layers of
        residual branches, say) the inside of those branches waits for two updates; behind a zero head that is frozen, everything waits for ever.
    Silent when: the head is zero and nothing else is: one update opens it, which costs nothing. Not every output comes from a zero head; a frozen head has
        nothing trainable before it.
    Source: gradients of the first step and of two temporary steps, measured; Zhang et al. 2019, arXiv:1901.09321 for zero heads with zero branches, which train well.
    """

    code: ClassVar[str] = "IC705"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "unsafe"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("no-gradient",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=BRANCHED.format(branch="        nn.init.zeros_(self.down.weight)\n        nn.init.zeros_(self.down.bias)\n"),
            good=BRANCHED.format(branch=""),
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.batch:
            raise NotKnown("no forward pass was measured")
        weights = tuple(dict.fromkeys(weight for head in evidence.heads for weight in head.weights))
        if (
            not weights
            or any(not head.weights or head.others for head in evidence.heads)
            or not all(self._zero(w, evidence) for w in weights)
        ):
            return
        before = [flow for flow in evidence.flows if flow.state in ("late", "dead") and self._trainable(flow.parameter, evidence)]
        waiting = [flow.parameter for flow in before if flow.steps > 1]
        if before and not any(self._trainable(weight, evidence) for weight in weights):
            message = "the output head is zero and frozen: nothing before it can ever learn"
            yield self._say(weights, evidence, "error", message, f"{len(before)} trainable parameters before it")
        elif waiting:
            message = "the output head is zero, and so is another factor behind it: what lies between waits for two updates"
            yield self._say(weights, evidence, "info", message, f"{len(waiting)} parameters get their first gradient after two updates")

    def _say(self, weights: tuple[str, ...], evidence: Evidence, severity: Severity, message: str, observed: str) -> Finding:
        return self.finding(
            weights,
            message,
            severity=severity,
            observed=observed,
            expected="gradient after one update at the latest",
            location=written_at(evidence.record(weights[0])),
            fix=Fix(
                weights,
                InitCall("normal_", (("mean", 0.0), ("std", 0.01))),
                "unsafe",
                "draw the head small instead: nn.init.normal_(weight, std=0.01)",
            ),
            note="zero",
            why="Gradient passes a layer through its weights; a zero layer passes none.",
        )

    def _zero(self, weight: str, evidence: Evidence) -> bool:
        stats = evidence.stats(weight)
        return stats is not None and stats.numel > 0 and not stats.nonfinite and stats.second_moment == 0

    def _trainable(self, parameter: str, evidence: Evidence) -> bool:
        record = evidence.record(parameter)
        return record is None or record.trainable
