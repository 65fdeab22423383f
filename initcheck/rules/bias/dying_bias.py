"""IC402."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, LayerRule, tolerance, written_at
from initcheck.rules.biases import RECTIFYING, constant_part, outweighing
from initcheck.rules.chains import judged_chains


@dataclass(frozen=True)
class DyingBias(LayerRule):
    """A negative bias in front of a rectifier silences units.

    Why: it pushes most pre-activations below zero; the next layer then sees a weaker signal under the same bias, and after a few layers no unit is on
        for any input: nothing passes forward or back, for ever.
    Silent when: the run shows neither dying units (nine in ten off for every input; one in five behind a constant bias) nor a dying signal: a small
        negative bias is harmless in a shallow net; a normalization that subtracts the mean follows, or the layer is an output head, a gate or recurrent.
    Source: measured on digits, all hidden ReLU layers at 4 layers: bias -1 and -5 never train (accuracy 0.10), -0.3 costs nothing at 4 layers and 60
        points at 8 under SGD, any value before batch normalization nothing.
    """

    code: ClassVar[str] = "IC402"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "dead-units", "weight-too-small", "correlated-outputs")
    ratio: float = tolerance(-0.25, "most negative ratio of the mean bias to the rms of the weighted sum that is not suspected")
    dead: float = tolerance(0.9, "smallest share of units off for every input that counts as dead")
    dying: float = tolerance(0.2, "smallest such share behind constant negative biases that counts as dying")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(5) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model[:-1]:\n    if isinstance(layer, nn.Linear):\n        nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "        nn.init.constant_(layer.bias, -1.0)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(5) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model[:-1]:\n    if isinstance(layer, nn.Linear):\n        nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "        nn.init.constant_(layer.bias, -0.05)\n",
            input_shape=(64,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        mean = constant_part(layer, evidence)
        if mean >= 0 or not layer.nonlinearity.known() or layer.nonlinearity.get().role not in RECTIFYING:
            return
        ratio = outweighing(layer, evidence, mean)
        severity = self._dying(layer, evidence)
        if ratio >= self.ratio or severity is None:
            return
        yield self.finding(
            (layer.bias,),
            "a negative bias in front of a rectifier: units fall silent",
            severity=severity,
            observed=f"mean bias {mean:.3g}, {-ratio:.3g} times the rms of the weighted sum",
            expected="0 or a small positive constant",
            location=written_at(evidence.record(layer.bias)),
            fix=Fix((layer.bias,), InitCall("zeros_"), "unsafe", "start hidden biases at zero: nn.init.zeros_"),
            note=f"mean bias {mean:.3g}",
            why="A unit that is off for every input gets no gradient, so it cannot raise its own bias.",
        )

    def _dying(self, layer: Layer, evidence: Evidence) -> Severity | None:
        """How loudly the run shows units or signals dying in the layer's chain."""
        stats = evidence.stats(layer.bias)
        near = {weight for chain in evidence.chains if layer.weight in chain.weights for weight in chain.weights} | {layer.weight}
        off = [other.dead.get() for other in evidence.layers if other.weight in near and other.dead.known()]
        shrinking = [
            verdict.severity for verdict in judged_chains(evidence) if layer.weight in verdict.chain.weights and verdict.judged < 0
        ]
        if "error" in shrinking or any(share >= self.dead for share in off):
            return "error"
        chosen = stats is not None and stats.numel > 1 and stats.constant  # trained biases are often negative too, never constant
        return "warning" if shrinking or (chosen and any(share >= self.dying for share in off)) else None
