"""IC608."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, written_at
from initcheck.rules.standing import own_start

_MODEL = (
    "import torch\nfrom torch import nn\n\n\nclass Mixture(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.router = nn.Linear(16, 4, bias=False)\n        self.experts = nn.ModuleList(nn.Linear(16, 16) for _ in range(4))\n        self.head = nn.Linear(16, 4)\n\n"
    "    def forward(self, x):\n        weights, chosen = self.router(x).softmax(-1).topk(2, -1)\n"
    "        made = torch.stack([expert(x) for expert in self.experts], 1)\n"
    "        kept = made.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 16))\n"
    "        return self.head(torch.tanh((kept * weights.unsqueeze(-1)).sum(1)))\n\n\nmodel = Mixture()\n"
)


@dataclass(frozen=True)
class RouterCollapse(LayerRule):
    """A router gives every expert the same score.

    Why: equal scores are a tie, and top-k breaks ties by index: all tokens go to the same experts, the others receive no gradient, and the balance never comes about.
    Silent when: the rows differ, however small they are (N(0, 0.02)); the layer's scores neither choose nor weight experts; the router is frozen or loaded. A zero router is info:
        a soft mixture learns from it, and noise or a balancing loss may break the tie. Identical experts are cloned-layers' finding.
    Source: Fedus et al. 2021, arXiv:2101.03961, section 2.4 (truncated normal, scale 0.1); Shazeer et al. 2017, arXiv:1701.06538 (a zero start with noise).
    """

    code: ClassVar[str] = "IC608"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("identical-units", "constant-weight", "weight-mean-offset")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=_MODEL + "with torch.no_grad():\n    model.router.weight.copy_(torch.randn(16).div(4).expand(4, 16))\n",
            good=_MODEL + "nn.init.normal_(model.router.weight, std=0.02)\n",
            input_shape=(16,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if layer.part != "router" or stats is None or stats.nonfinite or len(stats.shape) != 2 or not own_start(layer.weight, evidence):
            return
        stored_by_row = layer.kind == "linear"
        experts, distinct = (stats.shape[0], stats.distinct_rows) if stored_by_row else (stats.shape[1], stats.distinct_columns)
        if experts < 2 or distinct > 1:
            return
        zero = stats.second_moment == 0
        yield self.finding(
            (layer.weight,),
            f"a router scores its {experts} experts alike" + (": it is zero" if zero else ""),
            severity="info" if zero else "warning",
            observed=f"{distinct} distinct score among {experts}",
            expected="one row of its own for each expert, N(0, 0.02) for example",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix(
                (layer.weight,),
                InitCall("normal_", (("std", 0.02),)),
                "unsafe",
                "draw it small and random: nn.init.normal_(weight, std=0.02)",
            ),
            note="all scores are equal",
            why="A tie is broken by the index of the expert, so every token takes the same ones.",
        )
