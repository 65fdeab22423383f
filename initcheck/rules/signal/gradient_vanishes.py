"""IC103."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule
from initcheck.rules.drifting import drift_findings


@dataclass(frozen=True)
class GradientVanishes(ModelRule):
    """Gradients die away on their way back through a chain of layers.

    Why: the first layers receive next to nothing and stay as they were drawn; the biases can hide the same loss in the forward pass.
    Silent when: the drift stays within max(3, 4.4 * sqrt(5 * sum(1/width))) nats, a normalization or a residual sum breaks the chain, or it sits
        in one single shrunken layer (that heals). Chains behind a batch normalization are not judged backward.
    Source: He et al. 2015, arXiv:1502.01852; Schoenholz et al. 2017, arXiv:1611.01232; Hanin and Rolnick 2018, arXiv:1803.01719 for the width-aware floor.
    """

    code: ClassVar[str] = "IC103"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("correlated-outputs",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(12) for part in (nn.Linear(64, 64), nn.Sigmoid())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.xavier_normal_(layer.weight, gain=4)\n        nn.init.zeros_(layer.bias)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(12) for part in (nn.Linear(64, 64), nn.Tanh())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.xavier_normal_(layer.weight)\n        nn.init.zeros_(layer.bias)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        yield from drift_findings(self, evidence, "backward", -1)
