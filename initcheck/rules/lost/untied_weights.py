"""IC805."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule


@dataclass(frozen=True)
class UntiedWeights(ModelRule):
    """Two parameters that were tied to one memory are two separate ones.

    Why: `to_empty`, a parameter or layer assigned anew and `load_state_dict(assign=True)` give each name its own memory; the model has more
        parameters than it should, and the two drift apart from the first step.
    Silent when: the shapes differ (a new head for another task), one of the two no longer belongs to the model, they were tied again, or nothing ever tied
        them: equal values alone are no evidence.
    Source: observed while the model is built; Press and Wolf 2017, arXiv:1608.05859, for tied embeddings; huggingface/accelerate pull request 3154.
    """

    code: ClassVar[str] = "IC805"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "display"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.embed = nn.Embedding(50, 16)\n"
            "        nn.init.normal_(self.embed.weight, std=0.02)\n        self.head = nn.Linear(16, 50, bias=False)\n        self.head.weight = self.embed.weight\n"
            "        self.head = nn.Linear(16, 50, bias=False)\n\n    def forward(self, x):\n        return self.head(self.embed(x))\n\n\nmodel = Net()\n",
            good="from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.embed = nn.Embedding(50, 16)\n"
            "        nn.init.normal_(self.embed.weight, std=0.02)\n        self.head = nn.Linear(16, 50, bias=False)\n        self.head.weight = self.embed.weight\n\n"
            "    def forward(self, x):\n        return self.head(self.embed(x))\n\n\nmodel = Net()\n",
            input_shape=(8,),
            integers=50,
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        for pair in evidence.recording.untied:
            how = "declared as tied in the model's configuration" if pair.declared else "tied"
            since = f"; line {pair.broken.line} gave one of them memory of its own" if pair.broken is not None else ""
            yield self.finding(
                (pair.second, pair.first),
                f"`{pair.second}` was {how} to `{pair.first}` and is a separate parameter now",
                observed=f"two memories{since}",
                expected="one memory under both names",
                location=pair.broken or pair.tied,
                fix=Fix((pair.second,), None, "display", f"tie last: {pair.second} = {pair.first}"),
                note="no longer tied",
                why="Both names are trained independently from here on, and a saved checkpoint holds two tensors.",
            )
