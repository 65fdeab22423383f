"""IC102."""

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
class SignalExplodes(ModelRule):
    """The signal grows on its way through a chain of layers.

    Why: outputs are huge, the first loss is huge, and the first step destroys what the draw had to offer.
    Silent when: the drift stays within max(3, 4.4 * sqrt(5 * sum(1/width))) nats, a normalization or a residual sum breaks the chain, or it sits
        in one single shrunken layer (that heals).
    Source: He et al. 2015, arXiv:1502.01852; Schoenholz et al. 2017, arXiv:1611.01232; Hanin and Rolnick 2018, arXiv:1803.01719 for the width-aware floor.
    """

    code: ClassVar[str] = "IC102"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("correlated-outputs", "initial-loss-too-high")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(1024 >> i, 512 >> i) for i in range(6))\n        self.head = nn.Linear(16, 4)\n"
            "        for layer in self.layers:\n            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.relu(layer(x)) * 3\n        return self.head(x)\n\n\nmodel = Net()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(1024 >> i, 512 >> i) for i in range(6))\n        self.head = nn.Linear(16, 4)\n"
            "        for layer in self.layers:\n            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.relu(layer(x))\n        return self.head(x)\n\n\nmodel = Net()\n",
            input_shape=(1024,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        yield from drift_findings(self, evidence, "forward", 1)
