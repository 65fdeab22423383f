"""IC807."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule


@dataclass(frozen=True)
class BufferNeverWritten(ModelRule):
    """A buffer's memory was allocated and never written, or only in part.

    Why: `torch.empty` and `to_empty` hand out leftover bytes. `reset_parameters` does not restore buffers: running statistics, rotary frequencies
        and masks of a model that was built on the meta device stay garbage unless somebody computes them again.
    Silent when: every element was written by anything at all, the buffer has no elements or holds no floating-point numbers. Info when the forward pass did
        not read what was never written: a cache that is filled slice by slice before it is read.
    Source: proven by filling fresh memory with a marker while the model is built; torch.nn.Module.to_empty, https://pytorch.org/docs/stable/generated/torch.nn.Module.html.
    """

    code: ClassVar[str] = "IC807"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "display"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "dead-units", "saturated-units", "initial-loss-too-high")
    explains_from: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Scaled(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.fc = nn.Linear(16, 4)\n        self.register_buffer('mean', torch.empty(16))\n\n    def forward(self, x):\n        return self.fc(x - self.mean)\n\n\nmodel = Scaled()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Scaled(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.fc = nn.Linear(16, 4)\n        self.register_buffer('mean', torch.zeros(16))\n\n    def forward(self, x):\n        return self.fc(x - self.mean)\n\n\nmodel = Scaled()\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its memory; pass a function that builds it")
        read = {use.tensor for use in evidence.constants if use.operations}
        for buffer in evidence.recording.tensors:
            size = math.prod(buffer.shape)
            if buffer.kind != "buffer" or not buffer.unwritten:
                continue
            used = buffer.name in read
            whole = buffer.unwritten == size
            first = buffer.writes[-1] if buffer.writes else None
            place = first.location.get() if first is not None and first.location.known() else buffer.created
            yield self.finding(
                (buffer.name,),
                f"a buffer's memory was {'never written' if whole else 'written only in part'}{', and the forward pass reads it' if used else ''}",
                severity="info" if not used else "error" if whole else "warning",
                observed=f"{buffer.unwritten:,} of {size:,} elements hold leftover memory",
                expected="every element written before it is read",
                location=place,
                fix=Fix((buffer.name,), None, "display", "compute it where it is registered: register_buffer(name, torch.zeros(...))"),
                note="allocated here, never filled" if whole else "writes only a part",
                why="The values are whatever the allocator left behind"
                + ("; they are saved with the state dict." if buffer.persistent else "; no state dict brings them back."),
            )
