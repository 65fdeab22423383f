"""IC904."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.rules.arriving import counted, coverage, incomplete, names
from initcheck.rules.base import ModelRule
from initcheck.rules.checkpoints import FILE, NET


@dataclass(frozen=True)
class MissingInCheckpoint(ModelRule):
    """A parameter of the body has no stored counterpart and stays as it was drawn.

    Why: that is how adapters, prompts and new branches come into a pretrained model, and it is how a forgotten tensor looks, too; the list is worth a glance.
    Silent when: the parameter comes after everything that was loaded (head-left-random), others of its kind were loaded (partly-loaded-body), or it
        shares its memory with a loaded one.
    Source: observed while the model is built; the word is that of the load report of transformers.
    """

    code: ClassVar[str] = "IC904"
    severity: ClassVar[Severity] = "info"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET
            + FILE
            + "class Adapted(Net):\n    def __init__(self):\n        super().__init__()\n        self.down, self.up = nn.Linear(32, 8), nn.Linear(8, 32)\n"
            "        nn.init.kaiming_normal_(self.down.weight, nonlinearity='relu')\n        nn.init.zeros_(self.up.weight)\n        nn.init.zeros_(self.up.bias)\n\n"
            "    def forward(self, x):\n        x = self.body(x)\n        return self.head(x + self.up(torch.relu(self.down(x))))\n\n\n"
            "model = Adapted()\nmodel.load_state_dict(weights, strict=False)\n",
            good=NET + FILE + "model = Net()\nmodel.load_state_dict(weights, strict=False)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        told = set(incomplete(found, evidence))
        left = [one for one in found.left("missing") if one.kind == "parameter" and one not in told and not found.in_head(one.name)]
        if left:
            yield self.finding(
                names(left),
                "not in what was loaded: stays as it was drawn",
                observed=f"{counted(left)} without a stored one",
                expected="none, or new layers such as adapters",
                location=left[0].by,
                note="drawn here, and not loaded",
                fix=Fix(names(left), None, "display", "let new layers start as nothing: zeros in the last of them"),
                why="New layers inside a pretrained network should not disturb what was learned.",
            )
