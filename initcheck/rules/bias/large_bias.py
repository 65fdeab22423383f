"""IC401."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.chains import judged_chains

RECTIFYING = ("relu", "relu6", "leaky_relu", "gelu", "gelu_tanh", "silu", "mish", "hardswish", "relu2", "elu", "celu")
CENTERING = ("batch_norm", "instance_norm", "layer_norm", "group_norm")


@dataclass(frozen=True)
class LargeBias(LayerRule):
    """The biases of a hidden layer outweigh its signal.

    Why: a common positive bias far above the signal makes every unit a constant plus a small ripple; a negative one in front of a rectifier silences
        units, and the silence deepens with every layer.
    Silent when: a normalization that subtracts the mean follows, the layer is an output head (priors live there), a gate, or recurrent, or the mean is
        within its sampling error; a negative bias only counts where the run shows units or gradients dying.
    Source: measured on digits: bias -1 in all hidden ReLU layers 0.10 accuracy, +5 0.66, +1 and below no loss, any value before batch normalization no loss.
    """

    code: ClassVar[str] = "IC401"
    severity: ClassVar[Severity] = "warning"
    explains: ClassVar[tuple[str, ...]] = (
        "dead-units",
        "saturated-units",
        "signal-vanishes",
        "signal-explodes",
        "gradient-vanishes",
        "gradient-explodes",
        "initial-loss-too-high",
        "weight-too-small",
    )
    largest: float = tolerance(3.0, "largest ratio of the mean bias to the rms of the weighted sum")
    smallest: float = tolerance(-0.25, "most negative ratio that is not suspected when units die")
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
        stats = evidence.stats(layer.bias) if layer.bias else None
        if stats is None or layer.kind not in ("linear", "conv", "conv_transpose", "bilinear", "matmul") or stats.nonfinite:
            return
        if abs(stats.mean) <= 4.42 * stats.std / stats.numel**0.5 or stats.mean == 0:
            return
        feeds = layer.feeds.get()
        if layer.norm in CENTERING or set(feeds) <= {"output"} or layer.gates or (layer.then and set(layer.then) <= {"output"}):
            return
        signal = layer.second_moment.get() - stats.second_moment
        rms = max(signal, 1e-12 * stats.second_moment) ** 0.5
        ratio = stats.mean / rms
        if ratio > self.largest:
            yield self._say(layer, evidence, ratio, "a bias far above the signal: units hardly depend on the input")
        elif ratio < self.smallest and self._dying(layer, evidence):
            yield self._say(layer, evidence, ratio, "a negative bias in front of a rectifier: units fall silent")

    def _say(self, layer: Layer, evidence: Evidence, ratio: float, message: str) -> Finding:
        stats = evidence.stats(layer.bias)
        mean = stats.mean if stats is not None else 0.0
        return self.finding(
            (layer.bias,),
            message,
            observed=f"mean bias {mean:.3g}, {abs(ratio):.3g} times the rms of the weighted sum",
            expected="0 or a small constant",
            location=written_at(evidence.record(layer.bias)),
            fix=Fix((layer.bias,), InitCall("zeros_"), "unsafe", "start hidden biases at zero: nn.init.zeros_"),
            note=f"mean bias {mean:.3g}",
            why="The constant part of the pre-activation decides which units are on; the input does not.",
        )

    def _dying(self, layer: Layer, evidence: Evidence) -> bool:
        if not layer.nonlinearity.known() or layer.nonlinearity.get().role not in RECTIFYING:
            return False
        near = {weight for chain in evidence.chains if layer.weight in chain.weights for weight in chain.weights} | {layer.weight}
        dead = [other.dead.get() for other in evidence.layers if other.weight in near and other.dead.known()]
        shrinking = any(layer.weight in verdict.chain.weights and verdict.judged < 0 for verdict in judged_chains(evidence))
        return shrinking or any(share >= 0.9 for share in dead)
