"""IC302."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, MATRIX_KINDS, ModelRule, written_at
from initcheck.rules.remedies import redraw


@dataclass(frozen=True)
class ConstantWeight(ModelRule):
    """All elements of a weight matrix are the same number.

    Why: every unit computes the same function and receives the same gradient; if the next layer cannot tell them apart either, they stay equal for ever.
    Silent when: the tensor scales or shifts element by element (norms, LayerScale, gates), is frozen, has one unit or one element, or closes a residual branch.
    Source: the symmetry argument; measured at 0.19 accuracy against 0.96 for a constant start of a four-layer network on digits.
    """

    code: ClassVar[str] = "IC302"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "dead-units",
        "correlated-outputs",
        "saturated-units",
        "initial-loss-too-high",
        "weight-mean-offset",
        "weight-too-large",
        "weight-too-small",
        "identical-units",
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "for layer in (model[0], model[2]):\n    nn.init.constant_(layer.weight, 0.1)\n    nn.init.zeros_(layer.bias)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "for layer in (model[0], model[2]):\n    nn.init.normal_(layer.weight, std=0.1)\n    nn.init.zeros_(layer.bias)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        constant = [layer for layer in evidence.layers if self._suspect(layer, evidence)]
        hidden = [layer for layer in constant if layer.outgoing]
        stuck = [layer for layer in hidden if all(self._blind(weight, evidence) for weight in layer.outgoing)]
        if stuck:
            yield self._say(constant, evidence, "error", "one constant everywhere: no unit can ever differ from another")
            return
        for layer in constant:
            if set(layer.feeds.get()) <= {"output"}:
                continue
            yield self._say([layer], evidence, "warning", "all units are the same function until the next layer pulls them apart")

    def _say(self, layers: list[Layer], evidence: Evidence, severity: Severity, message: str) -> Finding:
        first = evidence.stats(layers[0].weight)
        value = first.mean if first is not None else 0.0
        names = tuple(layer.weight for layer in layers)
        return self.finding(
            names,
            message,
            severity=severity,
            observed=f"every element is {value:.4g}",
            expected="random weights",
            location=written_at(evidence.record(names[0])),
            fix=redraw(names, evidence),
            note=f"constant {value:.4g}",
            why="Equal units receive equal gradients, so gradient descent keeps them equal.",
        )

    def _suspect(self, layer: Layer, evidence: Evidence) -> bool:
        stats, record = evidence.stats(layer.weight), evidence.record(layer.weight)
        if stats is None or layer.kind not in (*MATRIX_KINDS, "embedding") or layer.derived or layer.closes_branch:
            return False
        if record is not None and not record.trainable:
            return False
        units = stats.shape[1] if layer.kind in ("conv_transpose", "embedding") and len(stats.shape) > 1 else stats.shape[0]
        if layer.kind == "embedding":
            units = stats.shape[0]
        return stats.constant and stats.second_moment > 0 and units > 1 and layer.groups < max(units, 2)

    def _blind(self, weight: str, evidence: Evidence) -> bool:
        stats = evidence.stats(weight)
        return stats is not None and stats.nonfinite == 0 and (stats.constant or stats.distinct_columns == 1)
