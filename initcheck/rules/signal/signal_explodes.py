"""IC102."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example
from initcheck.rules.base import ModelRule
from initcheck.rules.drifting import drift_findings


@dataclass(frozen=True)
class SignalExplodes(ModelRule):
    """The signal grows on its way through a chain of layers.

    Why: outputs are huge, the first loss is huge, and the first step destroys what the draw had to offer.
    Silent when: the drift stays within max(3, 4.4 * sqrt(5 * sum(1/width))) nats, a normalization or a residual sum breaks the chain, or it sits
        in one single shrunken layer (that heals).
    Source: He et al. 2015, arXiv:1502.01852; Schoenholz et al. 2017, arXiv:1611.01232; Hanin and Rolnick 2018, arXiv:1803.01719 for the width-aware floor.
    """

    code: ClassVar[str] = "IC102"
    severity: ClassVar[Severity] = "error"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("correlated-outputs",)
    examples: ClassVar[tuple[Example, ...]] = ()

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        yield from drift_findings(self, evidence, "forward", 1)
