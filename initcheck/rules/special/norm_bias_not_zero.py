"""IC602."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, LayerRule, tolerance, written_at
from initcheck.rules.standing import own_start


@dataclass(frozen=True)
class NormBiasNotZero(LayerRule):
    """A normalization adds a shift that its own scale cannot match.

    Why: a normalization centres the signal and the shift moves it away again; a shift above the scale makes every channel a constant with a small ripple, and a
        rectifier behind it either passes everything or nothing.
    Silent when: the shift is a tenth of the scale or less (some models start all biases at 0.02), the scale is zero (the branch is off), the parameter is
        frozen or loaded, or nobody saw who wrote it and it is no larger than trained ones are.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (shift 0 at the start); shifts up to the scale cost nothing measurable, +5 before a rectifier 30 points.
    """

    code: ClassVar[str] = "IC602"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains_from: ClassVar[Severity] = "warning"
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "correlated-outputs", "dead-units", "saturated-units", "initial-loss-too-high")
    warns: float = tolerance(3.0, "largest ratio of shift to scale (root mean squares) that is no warning")
    notes: float = tolerance(0.1, "largest ratio of shift to scale that is no info")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 4))\n"
            "nn.init.constant_(model[1].bias, 6.0)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 4))\n"
            "nn.init.constant_(model[1].bias, 0.02)\n",
            input_shape=(16,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        shift, stats = (evidence.stats(layer.bias) if layer.bias else None), evidence.stats(layer.weight)
        if layer.kind != "norm" or shift is None or stats is None or shift.nonfinite or stats.nonfinite or not shift.numel:
            return
        if shift.second_moment == 0 or not own_start(layer.bias, evidence):
            return
        factor, offset = layer.affine.get()
        scale = ((factor * stats.mean + offset) ** 2 + (factor * stats.std) ** 2) ** 0.5
        ratio = shift.second_moment**0.5 / scale if scale else 0.0
        if ratio <= self.notes or (ratio <= self.warns and not evidence.recording.watched):
            return
        yield self.finding(
            (layer.bias,),
            "a normalization's shift outweighs its scale" if ratio > self.warns else "a normalization starts with a shift",
            severity="warning" if ratio > self.warns else "info",
            observed=f"shift {shift.mean:.3g} ± {shift.std:.3g}, {ratio:.3g} times the scale",
            expected="0",
            location=written_at(evidence.record(layer.bias)),
            fix=Fix((layer.bias,), InitCall("zeros_"), "unsafe", "start the shift at zero: nn.init.zeros_"),
            note=f"{ratio:.3g} times the scale",
            why="The normalization has just made the mean zero; what it adds is the same for every sample.",
        )
