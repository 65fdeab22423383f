"""IC903."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.rules.arriving import counted, coverage, incomplete, names, percent, share, suggestion
from initcheck.rules.base import ModelRule, tolerance
from initcheck.rules.checkpoints import FILE, NET


@dataclass(frozen=True)
class PartlyLoadedBody(ModelRule):
    """A part of a pretrained body stayed random.

    Why: a layer of random weights in the middle of a pretrained network destroys what the layers before it have learned to say. It comes of
        truncated or renamed checkpoints, of a deeper model than the one that was saved, and of `strict=False`.
    Silent when: what stayed random comes after everything that was loaded (a new head), is of a kind of which nothing was loaded (adapters, prompts, a new
        branch), took the place of a loaded layer on purpose, or is the first layer alone (other inputs).
    Source: observed while the model is built; the limit of 5 % between warning and error is that of the design of this rule, not measured.
    """

    code: ClassVar[str] = "IC903"
    severity: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET + FILE + "model = Net()\nweights = {name: value for name, value in weights.items() if not name.startswith('body.2')}\n"
            "model.load_state_dict(weights, strict=False)\n",
            good=NET + FILE + "model = Net()\nmodel.load_state_dict(weights)\n",
            input_shape=(16,),
        ),
    )
    largest_share: float = tolerance(0.05, "share of the body's elements up to which random ones are a warning; an error beyond")

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        left = incomplete(found, evidence)
        if not left:
            return
        part = share(left, found)
        renames = suggestion(found.arrivals)
        remedy = (
            f"by shapes and order the file holds them under other names: `initcheck load … {renames}`."
            if renames
            else "look for another checkpoint, or load these from elsewhere"
        )
        place = next((arrival.location for arrival in found.arrivals if any(one in arrival.tensors for one in left)), None)
        yield self.finding(
            names(left),
            f"{percent(part)} of the loaded body stayed random",
            severity="error" if part > self.largest_share else "warning",
            observed=f"{counted(left)} without a stored one, between layers that were loaded",
            expected="a stored tensor for each layer of the body",
            location=place,
            note="leaves them out",
            fix=Fix(names(left), None, "display", remedy),
            why="Random layers between trained ones destroy what comes before them.",
        )
