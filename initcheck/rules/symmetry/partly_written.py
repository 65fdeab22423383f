"""IC306."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule, written_at
from initcheck.rules.remedies import redraw


@dataclass(frozen=True)
class PartlyWritten(ModelRule):
    """Some elements of a parameter were written, the rest is leftover memory.

    Why: a loop that stops early or a slice that misses a block leaves the rest of the tensor to chance.
    Silent when: every element was written at least once.
    Source: counted element by element with a marker in fresh memory.
    """

    code: ClassVar[str] = "IC306"
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
        "attention-logits-too-large",
        "residual-growth",
        "weight-too-large",
        "weight-too-small",
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Scale(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.scale = nn.Parameter(torch.empty(16))\n        with torch.no_grad():\n            self.scale[:8] = 1.0\n\n"
            "    def forward(self, x):\n        return x * self.scale\n\n\nmodel = Scale()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Scale(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.scale = nn.Parameter(torch.empty(16))\n        with torch.no_grad():\n            self.scale[:8] = 1.0\n"
            "            self.scale[8:] = 0.5\n\n    def forward(self, x):\n        return x * self.scale\n\n\nmodel = Scale()\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its memory; pass a function that builds it")
        for record in evidence.recording.parameters:
            size = math.prod(record.shape)
            if 0 < record.unwritten < size:
                last = record.writes[-1] if record.writes else None
                place = last.location.get() if last is not None and last.location.known() else written_at(record)
                yield self.finding(
                    (record.name,),
                    "only a part of the memory was written",
                    observed=f"{record.unwritten:,} of {size:,} elements hold leftover memory",
                    expected="every element written once",
                    location=place,
                    fix=redraw((record.name,), evidence),
                    note="writes only a part",
                    why="The unwritten elements are whatever the allocator left behind.",
                )
