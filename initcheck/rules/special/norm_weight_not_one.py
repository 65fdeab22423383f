"""IC601."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import DRIFTS, LayerRule, tolerance, written_at
from initcheck.rules.standing import own_start
from initcheck.theory.sampling import SMALLEST, Z


@dataclass(frozen=True)
class NormWeightNotOne(LayerRule):
    """A normalization's scale is far from one, so what it hands on is not normalized.

    Why: the layers behind a normalization count on a signal of mean square 1. A scale used as 1 + w (Gemma's RMSNorm) is right at w = 0, and doubles the signal when
        somebody fills it with ones; a scale drawn at random around zero switches channels off and turns the sign of others.
    Silent when: the normalization closes a residual branch (zero and small constants are how such a branch starts); the scale stays near one
        (DCGAN's N(1, 0.02)); it makes up for a division by the whole length (SSD's 20), so that the output is near one; it is frozen or loaded. What the data
        meet decides, w or 1 + w, never the name. A plain zero is zero-weight's finding.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167; Goyal et al. 2017, arXiv:1706.02677, section 5.1 for zeros at the end of a branch.
    """

    code: ClassVar[str] = "IC601"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains_from: ClassVar[Severity] = "warning"
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "correlated-outputs",
        "attention-logits-too-large",
        "initial-loss-too-high",
        "saturated-units",
    )
    largest: float = tolerance(10.0, "largest root mean square of a normalized output that is no warning")
    smallest: float = tolerance(0.1, "smallest root mean square of the scale that is no info")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass RMSNorm(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
            "        self.weight = nn.Parameter(torch.ones(size))\n\n    def forward(self, x):\n"
            "        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)\n        return x * (1 + self.weight)\n\n\n"
            "model = nn.Sequential(nn.Linear(16, 32), RMSNorm(32), nn.Linear(32, 4))\n",
            good="import torch\nfrom torch import nn\n\n\nclass RMSNorm(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
            "        self.weight = nn.Parameter(torch.zeros(size))\n\n    def forward(self, x):\n"
            "        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)\n        return x * (1 + self.weight)\n\n\n"
            "model = nn.Sequential(nn.Linear(16, 32), RMSNorm(32), nn.Linear(32, 4))\n",
            input_shape=(16,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if layer.kind != "norm" or stats is None or not stats.numel or stats.nonfinite or layer.closes_branch:
            return
        if not own_start(layer.weight, evidence):
            return
        factor, offset = layer.affine.get()
        mean, std = factor * stats.mean + offset, abs(factor) * stats.std
        rms = (mean * mean + std * std) ** 0.5
        message, severity = self._verdict(layer, stats, (mean, std, rms), factor, offset)
        if not message:
            return
        yield self.finding(
            (layer.weight,),
            message,
            severity=severity,
            observed=_observed(stats, mean, std, offset),
            expected=f"w = {(1 - offset) / factor:.3g}",
            location=written_at(evidence.record(layer.weight)),
            fix=_fix(layer.weight, (1 - offset) / factor),
            note="used as 1 + w" if offset == 1 and factor == 1 else "scale of a normalization",
            why=f"The layers behind this normalization receive a signal {rms:.3g} times the one that their weights are made for.",
        )

    def _verdict(
        self, layer: Layer, stats: WeightStats, scale: tuple[float, float, float], factor: float, offset: float
    ) -> tuple[str, Severity]:
        mean, std, rms = scale
        if rms == 0:
            # a plain zero belongs to zero-weight
            return (
                "the scale of a normalization is zero as it is used: its output does not depend on the input" if offset else "",
                "error",
            )
        if offset and stats.constant and factor * stats.mean == offset:
            return f"a scale that is used as {offset:.3g} + w is filled with {stats.mean:.3g}: it multiplies by {mean:.3g}", "warning"
        if rms > self.largest and layer.second_moment.get() > self.largest**2:
            return f"the scale of a normalization is {rms:.3g}: its output is far from mean square 1", "warning"
        if stats.numel >= SMALLEST and std > 0 and abs(mean) + Z * std / stats.numel**0.5 < std:
            return "the scale of a normalization is random around zero: channels are switched off or change their sign", "warning"
        if rms < self.smallest and layer.second_moment.get() < self.smallest**2:
            return f"the scale of a normalization is {rms:.2g}: the layers behind it start with a small signal", "info"
        return "", "info"


def _observed(stats: WeightStats, mean: float, std: float, offset: float) -> str:
    spread = f" ± {std:.3g}" if std else ""
    return f"scale {mean:.3g}{spread}" + (f" (w = {stats.mean:.3g}, used as {offset:.3g} + w)" if offset else "")


def _fix(weight: str, target: float) -> Fix:
    name = {0.0: "zeros_", 1.0: "ones_"}.get(target)
    call = InitCall(name) if name else InitCall("constant_", (("val", target),))
    return Fix(
        (weight,), call, "unsafe", f"start at scale 1: nn.init.{name}" if name else f"start at scale 1: nn.init.constant_ with {target:.3g}"
    )
