"""IC908."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.rules.arriving import coverage
from initcheck.rules.base import DRIFTS, ModelRule, written_at
from initcheck.rules.pairs import pairs_of

_LANGUAGE = (
    "import io\n\nimport torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, tied):\n        super().__init__()\n"
    "        self.embed = nn.Embedding(50, 16)\n        nn.init.normal_(self.embed.weight, std=0.02)\n        self.body = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))\n"
    "        self.norm = nn.LayerNorm(16)\n        self.head = nn.Linear(16, 50, bias=False)\n        nn.init.normal_(self.head.weight, std=0.02)\n        if tied:\n            self.head.weight = self.embed.weight\n\n"
    "    def forward(self, ids):\n        x = self.embed(ids)\n        return self.head(self.norm(x + self.body(x)))\n\n\n"
    "weights = Net(tied=True).state_dict()\ndel weights['head.weight']  # a file that holds shared memory once\n"
    "file = io.BytesIO()\ntorch.save(weights, file)\nfile.seek(0)\nweights = torch.load(file)\n"
)


@dataclass(frozen=True)
class TiedWeightUntied(ModelRule):
    """The file holds one table for the embedding and the head; in this model the head is a parameter of its own and stays random.

    Why: formats that keep shared memory once, such as safetensors, store a tied head under the name of the embedding. A model that does not tie the two
        gets its embedding and a random head, and the loss starts at that of chance.
    Silent when: the head shares the embedding's memory, was stored under a name of its own, or has another shape. Two parameters that were tied in
        this model and came apart are told by untied-weights.
    Source: observed while the model is built; safetensors, https://huggingface.co/docs/safetensors/torch_shared_tensors.
    """

    code: ClassVar[str] = "IC908"
    severity: ClassVar[Severity] = "warning"
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "initial-loss-too-high")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=_LANGUAGE + "model = Net(tied=False)\nmodel.load_state_dict(weights, strict=False)\n",
            good=_LANGUAGE + "model = Net(tied=True)\nmodel.load_state_dict(weights, strict=False)\n",
            input_shape=(8,),
            integers=50,
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        for pair in pairs_of(found, evidence):
            yield self.finding(
                (pair.name, pair.partner),
                f"`{pair.name}` has no stored tensor; `{pair.partner}`, which has its shape, has one",
                observed="the head is a parameter of its own, and random",
                expected="one memory under both names, as where the weights were saved",
                location=written_at(evidence.record(pair.name)),
                fix=Fix((pair.name,), None, "display", f"tie them: {pair.name} = {pair.partner}"),
                note="drawn here, and not loaded",
                why="Without its table the head says nothing of what the body has learned.",
            )
