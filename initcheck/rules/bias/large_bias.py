"""IC401."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, LayerRule, tolerance, written_at
from initcheck.rules.biases import constant_part, outweighing


@dataclass(frozen=True)
class LargeBias(LayerRule):
    """The biases of a hidden layer outweigh its signal.

    Why: a common positive bias far above the signal makes every unit a constant plus a small ripple: rectifiers turn into linear maps, bounded
        nonlinearities sit on their flat part, and the constant part grows through the layers that follow.
    Silent when: the mean bias is at most 1 or within its sampling error, or at most twice the rms of the weighted sum; the weight is zero or nearly so (then the
        layer starts as a constant on purpose, and the weight is judged by zero-weight); a normalization that subtracts the mean follows; the layer is an output head (priors live there, and softmax ignores what all classes share), a gate, or recurrent. Info
        where no nonlinearity follows (attention, a residual sum): there it is a shift, which softmax or the next normalization mostly takes away.
    Source: measured on digits, all hidden ReLU layers: bias +1 costs nothing at 4 layers, +3 4 points (86 at 8 layers under SGD), +5 30 points, any value
        before batch normalization nothing.
    """

    code: ClassVar[str] = "IC401"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "dead-units",
        "no-gradient",
        "correlated-outputs",
        "saturated-units",
        "initial-loss-too-high",
        "weight-too-small",
    )
    largest: float = tolerance(2.0, "largest ratio of the mean bias to the rms of the weighted sum")
    harmless: float = tolerance(1.0, "largest mean bias that is never judged")
    constant: float = tolerance(0.01, "gain of the weight below which the layer starts as a constant on purpose")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))\n"
            "for layer in (model[0], model[2]):\n    nn.init.kaiming_normal_(layer.weight)\n    nn.init.constant_(layer.bias, 8.0)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))\n"
            "for layer in (model[0], model[2]):\n    nn.init.kaiming_normal_(layer.weight)\n    nn.init.constant_(layer.bias, 0.1)\n",
            input_shape=(64,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        mean = constant_part(layer, evidence)
        if mean <= self.harmless or layer.gain.get() < self.constant:
            return
        ratio = outweighing(layer, evidence, mean)
        if ratio <= self.largest:
            return
        curved = layer.nonlinearity.known() or "weight_layer" in layer.feeds.get()
        yield self.finding(
            (layer.bias,),
            "a bias far above the signal: units hardly depend on the input" if curved else "a bias far above the signal",
            severity="warning" if curved else "info",
            observed=f"mean bias {mean:.3g}, {ratio:.3g} times the rms of the weighted sum",
            expected="0 or a small constant",
            location=written_at(evidence.record(layer.bias)),
            fix=Fix((layer.bias,), InitCall("zeros_"), "unsafe", "start hidden biases at zero: nn.init.zeros_"),
            note=f"mean bias {mean:.3g}",
            why="The constant part of the pre-activation decides which units are on; the input does not."
            if curved
            else "No nonlinearity follows at once: the bias is a shift that training or the next normalization takes away.",
        )
