"""IC906."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.matching.leftovers import harmless
from initcheck.records.arrival import Arrived
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.rules.arriving import loads, suggestion
from initcheck.rules.base import ModelRule
from initcheck.rules.checkpoints import FILE, NET

SHOWN = 3


@dataclass(frozen=True)
class UnexpectedInCheckpoint(ModelRule):
    """A stored tensor has no place in the model.

    Why: the old head of a checkpoint is left behind so, as it should be; so is a renamed layer, whose place then stays random.
    Silent when: nothing at all was loaded (loaded-nothing), or what is left over are counters, masks and tables that the model computes itself.
    Source: observed while the model is built; the word is that of the load report of transformers.
    """

    code: ClassVar[str] = "IC906"
    severity: ClassVar[Severity] = "info"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET + FILE + "weights['decoder.weight'] = torch.ones(8, 8)\nmodel = Net()\nmodel.load_state_dict(weights, strict=False)\n",
            good=NET + FILE + "model = Net()\nmodel.load_state_dict(weights)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        for arrival in loads(evidence):
            left = [one for one in arrival.of("unexpected") if not harmless(one.name)]
            if not left or not arrival.named:
                continue
            renames = suggestion((arrival,))
            yield self.finding(
                (),
                f"{len(left):,} of the {len(arrival.named) + len(left):,} stored tensors {'has' if len(left) == 1 else 'have'} no place in the model",
                observed=_listed(left),
                expected="none, or the old head",
                location=arrival.location,
                fix=Fix((), None, "display", f"initcheck load … {renames}" if renames else "as it is, if it is the old head"),
                note="drops them",
                why="They are ignored.",
            )


def _listed(left: list[Arrived]) -> str:
    more = f" and {len(left) - SHOWN:,} more" if len(left) > SHOWN else ""
    return f"{', '.join(f'`{one.name}`' for one in left[:SHOWN])}{more}"
