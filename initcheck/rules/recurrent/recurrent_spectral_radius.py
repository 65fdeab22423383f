"""IC503."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.standing import own_start


@dataclass(frozen=True)
class RecurrentSpectralRadius(LayerRule):
    """The hidden-to-hidden matrix of a plain recurrence enlarges the state at every time step.

    Why: the matrix is applied once a step, so its spectral radius is raised to the power of the sequence length: tanh is driven into saturation, a
        rectifier has nothing to stop it, and the gradient grows at the same rate on its way back.
    Silent when: the radius is below 1.3 (identity, orthogonal, Gaussian of variance 1/n and the default are all at or below 1); the recurrence is
        gated (LSTM, GRU), which holds the state back whatever the matrix; the matrix is frozen (a reservoir) or loaded.
    Source: Pascanu et al. 2013, arXiv:1211.5063; measured on digits read pixel by pixel (64 steps, tuned learning rate): radius 1.0 0.86, 1.25 0.82 to 0.92,
        1.5 0.72, 1.73 0.52 accuracy with tanh.
    """

    code: ClassVar[str] = "IC503"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = (
        "non-orthogonal-recurrent",
        "saturated-units",
        "signal-explodes",
        "gradient-explodes",
        "gradient-vanishes",
        "initial-loss-too-high",
    )
    warns: float = tolerance(1.3, "largest spectral radius that is no warning")
    fails: float = tolerance(1.6, "largest spectral radius that is no error")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.RNN(8, 32, batch_first=True)\n        nn.init.normal_(self.rnn.weight_hh_l0, std=0.3)\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            good="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.RNN(8, 32, batch_first=True)\n        nn.init.orthogonal_(self.rnn.weight_hh_l0)\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            input_shape=(5, 8),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if stats is None or not stats.block_growth or not own_start(layer.weight, evidence):
            return
        if layer.cell != "rnn" and layer.part != "recurrent_matrix":
            return
        radius = stats.block_growth[0]
        if not math.isfinite(radius) or radius <= self.warns:
            return
        yield self.finding(
            (layer.weight,),
            f"the recurrent matrix enlarges the state {radius:.3g} times at every step",
            severity="error" if radius > self.fails else "warning",
            observed=f"spectral radius {radius:.3g} ± 2 %, which is {_power(radius, 30)} over 30 steps",
            expected="1",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix((layer.weight,), InitCall("orthogonal_"), "unsafe", "use nn.init.orthogonal_, whose radius is 1"),
            note=f"spectral radius {radius:.2f}",
            why="The state meets this matrix once a step, so the factor compounds over the sequence, forward and backward.",
        )


def _power(radius: float, steps: int) -> str:
    return f"{10 ** min(steps * math.log10(radius), 99.0):.1e}"
