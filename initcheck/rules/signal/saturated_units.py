"""IC106."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.remedies import rescale

_EDGES = {"tanh": 2.09, "hardtanh": 1.0, "sigmoid": 3.48, "hardsigmoid": 3.0, "erf": 1.53, "softsign": 4.0}
"""Where each curve begins to be flat."""
_MOST = 0.999


@dataclass(frozen=True)
class SaturatedUnits(LayerRule):
    """Most units of a bounded nonlinearity sit on its flat part.

    Why: where tanh or a sigmoid is flat, the gradient is a few percent of what comes in, and it is multiplied in every layer.
    Silent when: fewer than half of the activations are saturated, the nonlinearity is the model's output, or it is a gate or another
        sigmoid that no next layer reads (a decay rate, a mask).
    Source: Glorot and Bengio 2010, section 3; |tanh| > 0.97 and sigmoid outside (0.03, 0.97) pass less than 6 % and 12 % of their steepest slope.
    """

    code: ClassVar[str] = "IC106"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    symptom: ClassVar[bool] = True
    warns: float = tolerance(0.5, "smallest share of saturated activations that is a warning")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(2))\n        self.head = nn.Linear(64, 4)\n"
            "        for layer in self.layers:\n            nn.init.xavier_normal_(layer.weight)\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.tanh(8 * layer(x))\n        return self.head(x)\n\n\nmodel = Net()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(2))\n        self.head = nn.Linear(64, 4)\n"
            "        for layer in self.layers:\n            nn.init.xavier_normal_(layer.weight)\n"
            "            nn.init.zeros_(layer.bias)\n\n    def forward(self, x):\n        for layer in self.layers:\n"
            "            x = torch.tanh(layer(x))\n        return self.head(x)\n\n\nmodel = Net()\n",
            input_shape=(64,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        if layer.kind in ("norm", "scale", "bias", "unused", "embedding", "recurrent") or not layer.saturated.known() or layer.gates:
            return
        share = layer.saturated.get()
        if share < self.warns or (layer.then and set(layer.then) <= {"output", "gate_multiply"}):
            return
        if "weight_layer" not in layer.then and layer.nonlinearity.get().role in ("sigmoid", "hardsigmoid"):
            return  # a decay rate, a mask, a step size: no unit that a next layer reads
        yield self.finding(
            (layer.weight,),
            "most units start on the flat part of their nonlinearity",
            observed=f"{100 * share:.0f} % of the activations are saturated",
            expected=f"fewer than {100 * self.warns:.0f} %",
            location=written_at(evidence.record(layer.weight)),
            fix=_remedy(layer, share),
            note="feeds saturated units",
            why="On the flat part nearly no gradient passes.",
        )


def _remedy(layer: Layer, share: float) -> Fix | None:
    """Normal pre-activations of std s lie beyond the edge e with probability 2 (1 - Phi(e / s)); what is measured tells s."""
    edge = _EDGES.get(layer.nonlinearity.get().role) if layer.nonlinearity.known() else None
    if edge is None:
        return Fix((layer.weight,), None, "display", "make the pre-activations smaller")
    spread = edge / NormalDist().inv_cdf(1.0 - min(share, _MOST) / 2.0)
    return rescale((layer.weight,), min(1.0 / spread, 1.0), f"make the pre-activations {spread:.2g} times smaller")
