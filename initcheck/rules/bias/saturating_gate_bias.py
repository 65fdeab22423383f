"""IC405."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.biases import outweighing

HIGHWAY = (
    "import torch\nfrom torch import nn\n\n\nclass Highway(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.inner, self.gate, self.head = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 4)\n"
    "        nn.init.constant_(self.gate.bias, {bias})\n\n    def forward(self, x):\n        t = torch.sigmoid(self.gate(x))\n"
    "        return self.head(t * torch.tanh(self.inner(x)) + (1 - t) * x)\n\n\nmodel = Highway()\n"
)


_LOUD = 2.0
"""Ratio of a bias of 1 to the rms of the weighted sum from which the bias alone would decide."""


@dataclass(frozen=True)
class SaturatingGateBias(LayerRule):
    """A sigmoid gate starts so far closed that the parameters behind it hardly learn.

    Why: whatever the gate multiplies gets its gradient through it: sigmoid(-5) lets 0.7 % pass. The gate itself is on the flat part of the sigmoid, with a
        slope of the same 0.7 %, so it opens as slowly.
    Silent when: the measured gate lets more than 2 % through (a highway's bias of -1 to -3 does: 27 to 5 %), everything behind it has another way to the
        output, is frozen, or there is nothing to train behind it; an open gate; the gates of LSTMs and GRUs (forget-gate-bias judges those); gates without
        a sigmoid, such as LayerScale and adaLN, whose zero is no flat spot.
    Source: the gate's root mean square, measured; Srivastava et al. 2015, arXiv:1505.00387, for highway biases of -1 to -3.
    """

    code: ClassVar[str] = "IC405"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("signal-vanishes", "signal-explodes", "gradient-vanishes", "saturated-units")
    closed: float = tolerance(0.02, "largest root mean square of a gate that counts as closed")
    bias: float = tolerance(-2.0, "largest mean bias that is blamed for a closed gate")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(bad=HIGHWAY.format(bias="-6.0"), good=HIGHWAY.format(bias="-2.0"), input_shape=(32,)),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.bias) if layer.bias else None
        if stats is None or not layer.gates or not layer.gate.known() or stats.nonfinite:
            return
        behind = [name for name in layer.gated if (record := evidence.record(name)) is None or record.trainable]
        value = layer.gate.get()
        if value > self.closed or stats.mean > self.bias or not behind:
            return
        others = f" and {len(behind) - 1} more" if len(behind) > 1 else ""
        yield self.finding(
            (layer.bias,),
            f"the gate starts closed: {100 * value:.2g} % passes, and with it the gradient of `{behind[0]}`{others}",
            observed=f"mean bias {stats.mean:.3g}; gate {value:.2g} (root mean square)",
            expected="bias -3 to 0: 5 to 50 % passes",
            location=written_at(evidence.record(layer.bias)),
            fix=_ajar(layer, evidence),
            note="closes the gate",
            why="What a closed gate multiplies learns as slowly as the gate lets gradient through, and the gate itself sits on the flat part of its sigmoid.",
        )


def _ajar(layer: Layer, evidence: Evidence) -> Fix:
    """-1 as in a highway where the weighted sum has a say beside it, else 0, so that the bias alone does not decide."""
    faint = not layer.second_moment.known() or outweighing(layer, evidence, 1.0) > _LOUD
    call = InitCall("zeros_") if faint else InitCall("constant_", (("val", -1.0),))
    said = "half open: nn.init.zeros_(bias)" if faint else "ajar: nn.init.constant_(bias, -1.0)"
    return Fix((layer.bias,), call, "unsafe", f"start the gate {said}")
