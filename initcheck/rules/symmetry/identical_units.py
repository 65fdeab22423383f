"""IC303."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import DRIFTS, LayerRule, written_at
from initcheck.rules.remedies import redraw

FIXED = ("eye_", "dirac_", "sparse_", "zeros_", "ones_", "constant_", "fill_", "zeros", "ones", "eye")


@dataclass(frozen=True)
class IdenticalUnits(LayerRule):
    """Units of one layer are exact copies or multiples of each other.

    Why: copies do the work of one unit until the next layer's random weights pull them apart, which costs epochs; equal rows meeting equal columns never part.
    Silent when: the duplicates are how the layer works: sub-pixel convolutions (groups of r*r equal rows), identity and dirac kernels, tables of
        constants, state-space ramps; a layer with one input or one output.
    Source: for a continuous distribution equal rows have probability zero; Aitken et al. 2017, arXiv:1707.02937 for sub-pixel convolutions.
    """

    code: ClassVar[str] = "IC303"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "dead-units", "correlated-outputs", "weight-mean-offset", "initial-loss-too-high")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "with torch.no_grad():\n    model[0].weight.copy_(torch.randn(16).div(4).expand(32, 16))\n",
            good="import torch\nfrom torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "with torch.no_grad():\n    model[0].weight.copy_(torch.randn(32, 16).div(4))\n",
            input_shape=(16,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats, record = evidence.stats(layer.weight), evidence.record(layer.weight)
        if stats is None or layer.kind not in ("linear", "conv", "bilinear", "matmul") or not self._comparable(stats):
            return
        ruling = record.ruling() if record is not None else None
        if ruling is not None and ruling.call.known() and ruling.call.get().name in FIXED:
            return
        if record is not None and not record.trainable:
            return
        rows = stats.shape[0]
        copies = rows - stats.distinct_rows
        if stats.distinct_rows == 1 or stats.rank_one:
            blind = layer.outgoing and all(self._blind(weight, evidence) for weight in layer.outgoing)
            what = "the same function" if stats.distinct_rows == 1 else "multiples of one function (rank 1)"
            yield self._say(stats, evidence, "error" if blind else "warning", f"all {rows} units are {what}")
        elif copies > 0 and not self._sub_pixel(layer, stats):
            yield self._say(stats, evidence, "info", f"{copies} of {rows} units are copies of others")

    def _say(self, stats: WeightStats, evidence: Evidence, severity: Severity, message: str) -> Finding:
        return self.finding(
            (stats.parameter,),
            message,
            severity=severity,
            observed=f"{stats.distinct_rows} distinct rows of {stats.shape[0]}" + (", rank 1" if stats.rank_one else ""),
            expected="all rows distinct",
            location=written_at(evidence.record(stats.parameter)),
            fix=redraw((stats.parameter,), evidence),
            note="units are copies",
            why="Copies receive the same gradient as long as the next layer treats them alike.",
        )

    def _comparable(self, stats: WeightStats) -> bool:
        columns = stats.numel // stats.shape[0] if stats.shape and stats.shape[0] else 0
        return (
            len(stats.shape) >= 2
            and stats.shape[0] > 1
            and columns > 1
            and not stats.constant
            and stats.nonfinite == 0
            and stats.zeros * 2 < stats.numel
        )

    def _sub_pixel(self, layer: Layer, stats: WeightStats) -> bool:
        group, rest = divmod(stats.shape[0], stats.distinct_rows)
        return layer.kind == "conv" and rest == 0 and group > 1 and math.isqrt(group) ** 2 == group

    def _blind(self, weight: str, evidence: Evidence) -> bool:
        stats = evidence.stats(weight)
        return stats is not None and stats.nonfinite == 0 and (stats.constant or stats.distinct_columns == 1)
