"""IC406."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.remedies import safety_of

HEADS = (
    "from torch import nn\n\n\nclass Pyramid(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.body = nn.Conv2d(3, 16, 3, padding=1)\n        self.scores = nn.ModuleList(nn.Conv2d(16, 8, 1) for _ in range(3))\n"
    "        for score in self.scores{which}:\n            nn.init.constant_(score.bias, -4.6)\n\n    def forward(self, x):\n        x = self.body(x).relu()\n"
    "        return [score(x) for score in self.scores]\n\n\nmodel = Pyramid()\n"
)


@dataclass(frozen=True)
class PriorBiasMissing(ModelRule):
    """Some of several like heads start with a prior, the others do not.

    Why: with a bias of -ln((1-p)/p) a sigmoid head starts at the small probability p that most places deserve; a sibling at 0 starts at one half, and its
        many easy negatives dominate the first losses.
    Silent when: there is no sibling that has the prior: nothing else tells an imbalanced head from a balanced one. Siblings are layers of the same kind and
        shape whose names differ in numbers only.
    Source: Lin et al. 2017, arXiv:1708.02002, section 4.1 (prior probability 0.01, bias -4.6).
    """

    code: ClassVar[str] = "IC406"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "either"
    prior: float = tolerance(-2.0, "largest constant bias that counts as a prior")
    none: float = tolerance(0.5, "largest mean bias, either way, that counts as no prior")
    examples: ClassVar[tuple[Example, ...]] = (Example(bad=HEADS.format(which="[:2]"), good=HEADS.format(which=""), input_shape=(3, 8, 8)),)

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        families: dict[tuple[str, tuple[int, ...], str], list[Layer]] = defaultdict(list)
        for layer in evidence.layers:
            if layer.bias and layer.kind in ("linear", "conv") and not layer.norm and not layer.gates and not layer.outgoing:
                families[re.sub(r"\d+", "#", layer.weight), layer.shape, layer.kind].append(layer)
        for family in families.values():
            values = {layer.bias: stats for layer in family if (stats := evidence.stats(layer.bias)) is not None}
            priors = [stats.mean for stats in values.values() if stats.constant and stats.mean <= self.prior]
            without = tuple(name for name, stats in values.items() if abs(stats.mean) <= self.none and name)
            if priors and without:
                yield self._say(without, priors[0], len(priors), evidence)

    def _say(self, names: tuple[str, ...], prior: float, amount: int, evidence: Evidence) -> Finding:
        others = "1 like head starts" if amount == 1 else f"{amount} like heads start"
        stats = evidence.stats(names[0])
        return self.finding(
            names,
            f"no prior in the bias, while {others} at {prior:.3g}",
            observed=f"mean bias {stats.mean:.2g}" if stats is not None else "",
            expected=f"{prior:.3g}, as in the others",
            location=written_at(evidence.record(names[0])),
            fix=Fix(
                names,
                InitCall("constant_", (("val", prior),)),
                safety_of(names, evidence),
                f"start this head with the same prior: nn.init.constant_(bias, {prior:.3g})",
            ),
            note="no prior",
            why="A head without the prior starts at probability one half everywhere.",
        )
