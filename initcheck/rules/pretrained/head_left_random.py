"""IC907."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.records.source import Location
from initcheck.rules.arriving import Coverage, coverage, head_layers
from initcheck.rules.base import ModelRule, written_at
from initcheck.rules.checkpoints import FILE, NET
from initcheck.rules.pairs import pairs_of


@dataclass(frozen=True)
class HeadLeftRandom(ModelRule):
    """The layers after a loaded body are random.

    Why: a new task needs a new head, and it has to be trained before anything that the model says means anything. Worth knowing when the
        head was meant to come from the file.
    Silent when: the last layers were loaded as well, nothing was loaded, or the run did not show the order of the layers.
    Source: observed while the model is built; this is what transformers calls newly initialized weights.
    """

    code: ClassVar[str] = "IC907"
    severity: ClassVar[Severity] = "info"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET + FILE + "model = Net()\nmodel.load_state_dict(weights)\nmodel.head = nn.Linear(32, 7)\nmodel.head.apply(init)\n",
            good=NET + FILE + "model = Net()\nmodel.load_state_dict(weights)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        told = {pair.name for pair in pairs_of(found, evidence)} | {one.name for one in found.left("mismatched")}
        lost = found.left("overwritten")
        told |= {one.name for one in lost} if not all(found.in_head(one.name) for one in lost) else set()
        layers = [layer for layer in head_layers(found, evidence) if layer.weight not in told]
        if layers:
            parameters = tuple(name for layer in layers for name in (layer.weight, layer.bias) if name)
            yield self.finding(
                parameters,
                "the head starts at random after a loaded body",
                observed=f"{len(layers):,} layer{'s' if len(layers) != 1 else ''} after the last loaded one",
                expected="as it is, if the head is to be trained",
                location=self._place(layers[-1].weight, found, evidence),
                note="drawn here, and not loaded",
                fix=Fix(parameters, None, "display", "as it is; train the head alone for a while, or give the body a smaller step"),
                why="This is how transfer to a new task starts.",
            )

    def _place(self, name: str, found: Coverage, evidence: Evidence) -> Location | None:
        """The user's line that drew it, else the one that loaded the rest."""
        record = evidence.record(name)
        ruling = record.ruling() if record is not None else None
        library = ruling is not None and ruling.origin == "library"
        return found.arrivals[0].location if library else written_at(record)
