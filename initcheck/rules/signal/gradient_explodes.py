"""IC104."""

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
class GradientExplodes(ModelRule):
    """Gradients grow on their way back through a chain of layers.

    Why: the first layers are thrown about by steps that the last ones need.
    Silent when: the drift stays within max(3, 4.4 * sqrt(5 * sum(1/width))) nats, a normalization or a residual sum breaks the chain, or it sits
        in one single shrunken layer (that heals). Chains behind a batch normalization are not judged backward.
    Source: He et al. 2015, arXiv:1502.01852; Schoenholz et al. 2017, arXiv:1611.01232; Hanin and Rolnick 2018, arXiv:1803.01719 for the width-aware floor.
    """

    code: ClassVar[str] = "IC104"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("correlated-outputs",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(16))\n        self.head = nn.Linear(64, 4)\n"
            "        for layer in self.layers:\n            nn.init.xavier_normal_(layer.weight)\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.tanh(2.5 * layer(x))\n        return self.head(x)\n\n\nmodel = Net()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(16))\n        self.head = nn.Linear(64, 4)\n"
            "        for layer in self.layers:\n            nn.init.xavier_normal_(layer.weight)\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.tanh(layer(x))\n        return self.head(x)\n\n\nmodel = Net()\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        yield from drift_findings(self, evidence, "backward", 1)
