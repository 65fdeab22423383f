"""IC910."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.parity import Unlike
from initcheck.records.rule import Example
from initcheck.rules.base import ModelRule
from initcheck.rules.twins import NORM, parity


@dataclass(frozen=True)
class SkippedByMetaInit(ModelRule):
    """On the way over the meta device a tensor is never written.

    Why: FSDP, DeepSpeed and large-model loaders build a model without memory, give it memory with `to_empty`, and call `reset_parameters` or
        `init_weights`. What no initializer of a class writes keeps whatever bytes lay there, often NaN, and only on the machine that trains.
    Silent when: it was not asked for (`--meta`, or `meta=True`), every registered tensor is written again, or weights are loaded into it.
    Source: proven on a twin with fresh memory; llm-foundry pull request 1745, Lightning pull request 17627, the parity test of transformers.
    """

    code: ClassVar[str] = "IC910"
    severity: ClassVar[Severity] = "error"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NORM + "model = Net()\n",
            good=NORM.replace(
                "    def forward(self, x):\n        return x / ",
                "    def reset_parameters(self):\n        nn.init.ones_(self.weight)\n\n    def forward(self, x):\n        return x / ",
            )
            + "model = Net()\n",
            input_shape=(16,),
            settings=(("meta", True),),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = parity(evidence)
        groups: dict[tuple[str, str, bool, str], list[Unlike]] = {}
        for one in found.unlike:
            if one.how != "differs":
                groups.setdefault((one.owner, one.name.rpartition(".")[2], one.asked, one.how), []).append(one)
        for (owner, leaf, asked, how), group in groups.items():
            method = found.way if found.way != "reset_parameters of each module" else f"{owner}.reset_parameters" if asked else ""
            yield self.finding(
                tuple(one.name for one in group),
                _message(owner, leaf, how, method),
                severity="warning" if how == "stays" else "error",
                observed=f"{group[0].built} when built in memory; leftover memory after to_empty and {found.way}"
                if how != "stays"
                else "no parameter and no buffer",
                expected="every tensor written by the initializers as well",
                location=group[0].by,
                note="written here, and nowhere after to_empty",
                fix=Fix(tuple(one.name for one in group), None, "display", _remedy(owner, how)),
                why="Whatever lay in the memory is what training starts from.",
            )


def _remedy(owner: str, how: str) -> str:
    if how == "stays":
        return "register it as a buffer (persistent=False keeps it out of checkpoints), and compute it in reset_parameters()"
    return f"give {owner} a reset_parameters() that writes all that it holds, and call it from __init__"


def _message(owner: str, leaf: str, how: str, method: str) -> str:
    if how == "stays":
        return f"`{owner}.{leaf}` is a plain tensor: it stays on the meta device"
    part = "a part of " if how == "partly" else ""
    if method:
        return f"`{method}` does not write {part}`{leaf}` of {owner}"
    return f"{owner} has no reset_parameters: `{leaf}` is not written after to_empty"
