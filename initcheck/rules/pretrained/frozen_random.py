"""IC909."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import ParameterRecord
from initcheck.records.rule import Example
from initcheck.rules.arriving import coverage
from initcheck.rules.base import ModelRule, written_at
from initcheck.rules.checkpoints import FILE, NET
from initcheck.theory.schemes import family_of

_OWN = ("framework default", "library", "user")
_FIXED = ("constant", "identity", "")


@dataclass(frozen=True)
class FrozenRandom(ModelRule):
    """A weight was drawn at random, is frozen, and nothing was loaded into it.

    Why: a frozen weight stays what it is. In a model that loads pretrained weights a random frozen one is a layer that the file did not fill, or a new
        head that was frozen together with the body: it will never learn anything.
    Silent when: nothing was loaded into the model at all (a random projection can be meant), the weight is trained, was computed or copied, or is a vector.
    Source: observed while the model is built; torch.nn.Module.requires_grad_, https://pytorch.org/docs/stable/generated/torch.nn.Module.html.
    """

    code: ClassVar[str] = "IC909"
    severity: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET
            + FILE
            + "model = Net()\nmodel.load_state_dict(weights)\nmodel.head = nn.Linear(32, 7)\nmodel.head.apply(init)\nmodel.requires_grad_(False)\n",
            good=NET
            + FILE
            + "model = Net()\nmodel.load_state_dict(weights)\nmodel.requires_grad_(False)\nmodel.head = nn.Linear(32, 7)\nmodel.head.apply(init)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        random = [record for record in evidence.recording.parameters if record.name not in found.loaded and _drawn(record)]
        for record in random:
            yield self.finding(
                (record.name,),
                "frozen, random, and never loaded",
                observed="requires_grad is False, and the values were drawn while the model was built",
                expected="loaded weights, or weights that are trained",
                location=written_at(record),
                note="drawn here, and never changed again",
                fix=Fix((record.name,), None, "display", "load it, or let it be trained: requires_grad_(True)"),
                why="Nothing will ever change these numbers.",
            )


def _drawn(record: ParameterRecord) -> bool:
    ruling = record.ruling()
    if record.trainable or len(record.shape) < 2 or ruling is None or ruling.origin not in _OWN or not ruling.call.known():
        return False
    return family_of(ruling.call.get()) not in _FIXED
