"""IC204."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule, tolerance, written_at
from initcheck.rules.remedies import redraw
from initcheck.theory.drift import mean_offset_index
from initcheck.theory.gains import gain_facts
from initcheck.theory.schemes import recommendation


@dataclass(frozen=True)
class WeightMeanOffset(ModelRule):
    """The weights are not centred on zero, and the common part drowns the signal.

    Why: a mean mu adds a rank-one part of relative size (mu/sigma)^2 * fan_in * rho to every pre-activation, where rho is the constant share of what comes in;
        it grows with depth until all units say the same, and not even batch normalization repairs it.
    Silent when: the mean is within its sampling error, the index times the number of such layers stays below 1, the layer reads centred data, or the
        weight is computed at run time (positive weights by design).
    Source: measured on digits: accuracy 0.22 to 0.40 against 0.96 for a shift of one standard deviation, with and without batch normalization.
    """

    code: ClassVar[str] = "IC204"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "weight-too-large",
        "weight-too-small",
        "dead-units",
        "no-gradient",
        "correlated-outputs",
        "saturated-units",
        "initial-loss-too-high",
        "scheme-nonlinearity-mismatch",
    )
    warns: float = tolerance(1.0, "smallest summed index that is a warning")
    fails: float = tolerance(5.0, "smallest summed index that is an error")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(3) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.uniform_(layer.weight)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(3) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.uniform_(layer.weight, -0.3, 0.3)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = [(layer, index) for layer in evidence.layers if (index := self._index(layer, evidence)) > 0]
        total = sum(index for _, index in found)
        if total <= self.warns:
            return
        layer, index = max(found, key=lambda pair: pair[1])
        stats = evidence.stats(layer.weight)
        if stats is None:
            return
        names = tuple(layer.weight for layer, _ in found)
        advice = recommendation(layer.nonlinearity.get().role if layer.nonlinearity.known() else "linear")
        yield self.finding(
            names,
            "the weights are not centred: their mean drowns the signal",
            severity="error" if total > self.fails else "warning",
            observed=f"mean {stats.mean:.3g} ± {4.42 * stats.std / stats.numel**0.5:.1g} at std {stats.std:.3g}; the constant part is {index:.3g} times the signal",
            expected="mean 0",
            location=written_at(evidence.record(layer.weight)),
            fix=redraw(names, evidence, f"use {advice.scheme}"),
            note=f"mean {stats.mean:.3g}",
            why="Every unit receives the same large sum; the units become copies of each other and the gradient points one way.",
        )

    def _index(self, layer: Layer, evidence: Evidence) -> float:
        stats, record = evidence.stats(layer.weight), evidence.record(layer.weight)
        if stats is None or layer.kind not in ("linear", "conv", "conv_transpose", "matmul") or layer.derived or stats.nonfinite:
            return 0.0
        if stats.numel < 64 or stats.std == 0 or not layer.fed_by.known() or (record is not None and not record.trainable):
            return 0.0
        if abs(stats.mean) <= 4.42 * stats.std / stats.numel**0.5 or stats.zeros * 2 > stats.numel:
            return 0.0
        constant = max((_constant_share(role) for role in layer.fed_by.get()), default=0.0)
        return mean_offset_index(stats.mean, stats.std, layer.fan_in.get(), constant) if layer.fan_in.known() else 0.0


def _constant_share(role: str) -> float:
    try:
        facts = gain_facts(role)
    except NotKnown:
        return 0.0
    return facts.mean**2 / facts.square if facts.square else 0.0
