"""IC105."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.theory.sampling import chance_of_silence


@dataclass(frozen=True)
class DeadUnits(LayerRule):
    """Nearly all units of a rectified layer are zero for every sample of the batch.

    Why: a unit that is off for all inputs sends no gradient and never wakes up.
    Silent when: fewer than nine units in ten are off, or so few units exist (below 17) that chance may silence them all: where the samples of the batch
        are alike, as in deep plain nets and behind global pooling, half of the units are legitimately off for the whole batch.
    Source: measured on the run's own batch; the share is exact for that batch.
    """

    code: ClassVar[str] = "IC105"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "display"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("no-gradient",)
    warns: float = tolerance(0.9, "smallest share of dead units that is a warning")
    fails: float = tolerance(0.99, "smallest share of dead units that is an error")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(1))\n        self.head = nn.Linear(64, 4)\n"
            "        for layer in self.layers:\n            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.relu(layer(x) - 8)\n        return self.head(x)\n\n\nmodel = Net()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(1))\n        self.head = nn.Linear(64, 4)\n"
            "        for layer in self.layers:\n            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.relu(layer(x))\n        return self.head(x)\n\n\nmodel = Net()\n",
            input_shape=(64,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        if layer.kind in ("norm", "scale", "bias", "unused", "embedding") or not layer.dead.known():
            return
        share = layer.dead.get()
        units = _units(layer)
        if share < self.warns or chance_of_silence(round(share * units), units) > 1e-5:
            return
        yield self.finding(
            (layer.weight,),
            "nearly all units are off for every input" if share < 1 else "all units are off for every input",
            severity="error" if share >= self.fails else "warning",
            observed=f"{100 * share:.1f} % of the units are zero on all {evidence.batch} samples",
            expected="about half of the units on for any input",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix((layer.weight,), None, "display", "look at what is taken off in front of the rectifier: a bias, a constant, a mask"),
            note="feeds units that are always off",
            why="A unit that is off for all inputs receives no gradient.",
        )


def _units(layer: Layer) -> int:
    """Rows of the result: how many units the layer makes."""
    if layer.kind == "conv_transpose":
        return layer.shape[1] * layer.groups
    if layer.kind == "matmul" or len(layer.shape) < 2:
        return layer.shape[-1] if layer.shape else 1
    return layer.shape[0]
