"""IC911."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.parity import Unlike
from initcheck.records.rule import Example
from initcheck.rules.base import ModelRule
from initcheck.rules.twins import SCALED, parity


@dataclass(frozen=True)
class MetaInitDiffers(ModelRule):
    """On the way over the meta device a tensor gets other values, or another scheme, than `__init__` gives it.

    Why: what `__init__` does after the layers are made (`self.apply(init)`, a zeroed last layer, a table that is computed) is lost when the memory comes
        later and only `reset_parameters` runs. The model then trains from other weights under FSDP than on one device.
    Silent when: it was not asked for (`--meta`, or `meta=True`), both are the same call, the same numbers, or two draws of one law, or weights are loaded into it.
    Source: compared with a twin on fresh memory: same call, else equal bits for what is not random, else five standard errors of std and mean.
    """

    code: ClassVar[str] = "IC911"
    severity: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=SCALED + "model = Net()\n",
            good=SCALED + "    def init_weights(self):\n        self.apply(init)\n\n\nmodel = Net()\n",
            input_shape=(16,),
            settings=(("meta", True),),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = parity(evidence)
        groups: dict[tuple[str, str, str], list[Unlike]] = {}
        for one in found.unlike:
            if one.how == "differs":
                groups.setdefault((one.owner, one.name.rpartition(".")[2], one.by.function if one.by is not None else ""), []).append(one)
        for (owner, leaf, function), group in groups.items():
            first = group[0]
            where = f"`{function}`" if function and "<" not in function else "the code that builds the model"
            yield self.finding(
                tuple(one.name for one in group),
                f"`{leaf}` of {owner} starts otherwise after the meta device",
                observed=f"{first.built} by {where}, {first.again} by {found.way}",
                expected="the same start on both ways",
                location=first.by,
                note="has no effect after to_empty",
                fix=Fix(
                    tuple(one.name for one in group),
                    None,
                    "display",
                    "move it into reset_parameters() or init_weights(), called by __init__",
                ),
                why="The same model would train from other weights there than here.",
            )
