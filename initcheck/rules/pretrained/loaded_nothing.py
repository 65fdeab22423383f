"""IC901."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.arrival import Arrival
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.rules.arriving import loads, names, suggestion
from initcheck.rules.base import ModelRule
from initcheck.rules.checkpoints import FILE, NET


@dataclass(frozen=True)
class LoadedNothing(ModelRule):
    """Weights were loaded, and not one of them found a place.

    Why: `load_state_dict(strict=False)` and `from_pretrained` drop every name that they do not know. With a prefix too many or too few
        (`module.`, `_orig_mod.`, `model.`) that is all of them, and training starts from random weights although the code loads a checkpoint.
    Silent when: at least one stored tensor found a place, or nothing was loaded at all.
    Source: observed while the model is built; torch.nn.Module.load_state_dict, https://pytorch.org/docs/stable/generated/torch.nn.Module.html.
    """

    code: ClassVar[str] = "IC901"
    severity: ClassVar[Severity] = "error"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET
            + FILE
            + "model = Net()\nmodel.load_state_dict({f'module.{name}': value for name, value in weights.items()}, strict=False)\n",
            good=NET + FILE + "model = Net()\nmodel.load_state_dict(weights, strict=False)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        filled = {one.name for arrival in loads(evidence) for one in arrival.named}
        for arrival in loads(evidence):
            empty = [one for one in arrival.of("missing", "mismatched") if one.kind != "stored" and one.name not in filled]
            if arrival.named or not empty:
                continue
            stored = len(arrival.of("unexpected", "mismatched"))
            yield self.finding(
                names(empty),
                f"none of the {stored:,} stored tensors was loaded" if stored else "what was loaded holds no tensors",
                observed=_observed(arrival, stored),
                expected=f"names such as `{empty[0].name}`",
                location=arrival.location,
                fix=Fix(names(empty), None, "display", _remedy(arrival)),
                note="loads nothing",
                why="The model starts from random weights, although the code loads a checkpoint.",
            )


def _observed(arrival: Arrival, stored: int) -> str:
    first = next(iter(arrival.of("unexpected", "mismatched")), None)
    return f"0 of {stored:,} found a place; the first is `{first.name}`" if first is not None else "an empty state dict"


def _remedy(arrival: Arrival) -> str:
    if arrival.stripped and arrival.added:
        return f"load it with `{arrival.added}` in the place of `{arrival.stripped}`"
    if arrival.stripped:
        return f"load it without `{arrival.stripped}` in front of the names"
    if arrival.added:
        return f"load it with `{arrival.added}` in front of the names"
    found = suggestion((arrival,))
    return f"by shapes and order these mean the same: initcheck load … {found}" if found else "load it with strict=True to see all names"
