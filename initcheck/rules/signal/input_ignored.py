"""IC109."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import MATRIX_KINDS, ModelRule, written_at

_MODEL = (
    "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.inner, self.head = nn.Linear(16, 16), nn.Linear(16, 4)\n        self.register_buffer('start', torch.randn(1, 16))\n\n"
    "    def forward(self, x):\n        return self.head(torch.tanh(self.inner({value})))\n\n\nmodel = Net()\n"
)


@dataclass(frozen=True)
class InputIgnored(ModelRule):
    """The outputs do not depend on an input at all.

    Why: what the outputs do not depend on cannot be learned from; most often another variable was meant.
    Silent when: any output changes in any bit when the input is changed, the model draws random numbers, or the input holds whole numbers or booleans
        (masks, lengths, labels). One of several inputs may rightly be unused in this mode, so that is only an info; a module without matrices, such as a
        table of positions, may use the shape alone.
    Source: the dataflow of the run, confirmed by a run with the input changed, compared bit for bit.
    """

    code: ClassVar[str] = "IC109"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "display"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(bad=_MODEL.format(value="self.start.expand(len(x), -1)"), good=_MODEL.format(value="self.start + x"), input_shape=(16,)),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.ignored:
            return
        matrices = [layer.weight for layer in evidence.layers if len(layer.shape) > 1]
        every = set(evidence.ignored) == set(evidence.arguments)
        told = ", ".join(f"`{name}`" for name in evidence.ignored)
        severity: Severity = "warning" if every and matrices and any(layer.kind in MATRIX_KINDS for layer in evidence.layers) else "info"
        yield self.finding(
            tuple(matrices[:1]),
            f"the outputs do not depend on {'any input: ' if every else ''}{told}",
            severity=severity,
            observed="every output stays the same, bit for bit, when it is changed",
            expected="outputs that depend on the input",
            location=written_at(evidence.record(matrices[0])) if matrices else None,
            fix=Fix(tuple(matrices[:1]), None, "display", "read the argument where another variable is read now"),
            note="never sees it",
            why="What does not reach the outputs cannot be learned from.",
        )
