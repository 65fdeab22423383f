"""IC305."""

from __future__ import annotations

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
class NeverWritten(ModelRule):
    """A parameter's memory was allocated and never written.

    Why: `torch.empty`, `to_empty` and their kin hand out whatever bytes lay there before: sometimes zeros, sometimes 1e38, never what was meant.
    Silent when: every element was written by anything at all, through torch, NumPy or a file; tensors without elements.
    Source: proven by filling fresh memory with a marker while the model is built; torch.empty, https://pytorch.org/docs/stable/generated/torch.empty.html.
    """

    code: ClassVar[str] = "IC305"
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
            "        self.scale = nn.Parameter(torch.empty(16))\n\n    def forward(self, x):\n        return x * self.scale\n\n\nmodel = Scale()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Scale(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.scale = nn.Parameter(torch.ones(16))\n\n    def forward(self, x):\n        return x * self.scale\n\n\nmodel = Scale()\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its memory; pass a function that builds it")
        for record in evidence.recording.parameters:
            size = 1
            for axis in record.shape:
                size *= axis
            if size and record.unwritten == size:
                yield self.finding(
                    (record.name,),
                    "memory allocated and never written",
                    observed=f"{size:,} of {size:,} elements hold leftover memory",
                    expected="every element written once",
                    location=written_at(record),
                    fix=redraw((record.name,), evidence),
                    note="allocated here, never filled",
                    why="The values are whatever the allocator left behind; they change from run to run and may be NaN or 1e38.",
                )
