"""IC905."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.arrival import Arrived
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.rules.arriving import coverage, names
from initcheck.rules.base import ModelRule
from initcheck.rules.checkpoints import FILE, NET


@dataclass(frozen=True)
class MismatchedInCheckpoint(ModelRule):
    """A stored tensor has another shape than the model's of the same name, and was left out.

    Why: loaders that ignore sizes leave such a parameter random. For a head with other classes that is meant; for a table of positions, a vocabulary or a
        patch embedding most of what was learned could have been kept.
    Silent when: the shapes agree, or the parameter was filled in another way. Info for what comes after everything that was loaded.
    Source: observed while the model is built, or compared with the file; the word is that of the load report of transformers.
    """

    code: ClassVar[str] = "IC905"
    severity: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET
            + FILE.replace("Net().state_dict()", "{**Net().state_dict(), 'body.0.weight': torch.ones(32, 3)}")
            + "model = Net()\nown = model.state_dict()\nweights = {name: value for name, value in weights.items() if own[name].shape == value.shape}\n"
            "model.load_state_dict(weights, strict=False)\n",
            good=NET + FILE + "model = Net()\nmodel.load_state_dict(weights)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        left = [one for one in found.left("mismatched") if one.kind == "parameter"]
        groups: dict[tuple[str, bool], list[Arrived]] = {}
        for one in left:
            groups.setdefault((one.because or "another shape", found.in_head(one.name)), []).append(one)
        for (because, head), group in groups.items():
            first = group[0]
            yield self.finding(
                names(group),
                f"the stored tensor does not fit: {because}",
                severity="info" if head else "warning",
                observed=f"{_shape(first.stored_shape)} in the file, {_shape(first.shape)} in the model",
                expected="the same shape, or a deliberate change",
                location=next((arrival.location for arrival in found.arrivals if first in arrival.tensors), None),
                fix=Fix(names(group), None, "display", _remedy(because, head=head)),
                note="leaves it out",
                why="The parameter stays random.",
            )


def _remedy(because: str, *, head: bool) -> str:
    """What the explanation of the shapes says behind its colon is what can be done."""
    return (
        "as it is: a new head has to be trained anyway"
        if head
        else because.partition(": ")[2] or "give the model the stored shape, or drop the tensor"
    )


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
