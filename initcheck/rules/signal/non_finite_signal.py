"""IC111."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule, written_at

_MODEL = (
    "from torch import nn\n\n\nclass Log(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.scale, self.head = nn.Linear(16, 16), nn.Linear(16, 4)\n\n"
    "    def forward(self, x):\n        return self.head(nn.functional.{function}(self.scale(x)).log())\n\n\nmodel = Log()\n"
)


@dataclass(frozen=True)
class NonFiniteSignal(ModelRule):
    """The signal becomes NaN or infinite although all weights are finite.

    Why: one such element makes the loss NaN and after one step every weight: a logarithm or root of what may start negative, a division by what starts at
        zero, or a product that overflows its precision.
    Silent when: all layers and outputs are finite; infinities that a mask puts in front of a softmax do not count, nor what comes in with the input.
        A parameter that is itself not finite, or was never written, is the finding of its own rule.
    Source: a second run in which every operation is looked at; the first whose operands are finite and whose result is not is named.
    """

    code: ClassVar[str] = "IC111"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "display"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "initial-loss-too-high", "head-too-large", "no-gradient", "dead-units")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(bad=_MODEL.format(function="relu"), good=_MODEL.format(function="softplus"), input_shape=(16,)),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        origin = evidence.nonfinite
        if origin is None or any(stats.nonfinite for stats in evidence.weights):
            return
        if origin.kind == "masked":
            raise NotKnown("a softmax got a row that is masked throughout, which gives NaN whatever the weights are")
        if origin.kind == "given":
            raise NotKnown("an input or a buffer is not finite, so nothing can be said of the signal")
        place = f" in `{origin.module}`" if origin.module else ""
        yield self.finding(
            origin.weights,
            f"`{origin.op}`{place} makes {origin.kind} out of finite numbers",
            observed=f"{origin.kind} in the forward pass while all weights are finite",
            expected="a finite signal",
            location=written_at(evidence.record(origin.weights[0])) if origin.weights else None,
            fix=Fix(origin.weights, None, "display", "keep what enters that operation in its range: a clamp, a softplus, an epsilon"),
            note="its result becomes not finite",
            why="After one step every weight would be NaN.",
        )
