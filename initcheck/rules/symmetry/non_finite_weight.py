"""IC307."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule, written_at
from initcheck.rules.remedies import redraw


@dataclass(frozen=True)
class NonFiniteWeight(ModelRule):
    """A parameter holds NaN or infinity.

    Why: one such element turns every output that it touches, and after one step every weight, into NaN.
    Silent when: all elements are finite; NaN that stands for memory never written belongs to never-written.
    Source: IEEE 754; the sum of squares of a tensor is finite exactly when no element is NaN or infinite (short of overflow, which is checked).
    """

    code: ClassVar[str] = "IC307"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "dead-units",
        "saturated-units",
        "initial-loss-too-high",
        "correlated-outputs",
        "no-gradient",
        "non-finite-signal",
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\nmodel = nn.Linear(16, 4)\nwith torch.no_grad():\n    model.weight[0, 0] = float('nan')\n",
            good="import torch\nfrom torch import nn\n\nmodel = nn.Linear(16, 4)\nwith torch.no_grad():\n    model.weight[0, 0] = 0.1\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        for stats in evidence.weights:
            record = evidence.record(stats.parameter)
            count = stats.nonfinite - (record.unwritten if record is not None else 0)
            if count <= 0:
                continue
            last = record.writes[-1] if record is not None and record.writes else None
            yield self.finding(
                (stats.parameter,),
                "holds NaN or infinity",
                observed=f"{count:,} of {stats.numel:,} elements are not finite",
                expected="finite values",
                location=last.location.get() if last is not None and last.location.known() else written_at(record),
                fix=redraw((stats.parameter,), evidence),
                note="written here",
                why="Every output that reads these elements is NaN or infinite, and after one step so is every weight.",
            )
