"""IC110."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Blockage, Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, written_at
from initcheck.rules.remedies import redraw

_MODEL = (
    "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.base, self.gate = nn.Linear(16, 32), nn.Linear(16, 32)\n        self.scale = nn.Parameter(torch.{value}(32), requires_grad=False)\n"
    "        self.head = nn.Linear(32, 4)\n\n    def forward(self, x):\n"
    "        return self.head(torch.tanh(self.base(x)) + self.scale * torch.tanh(self.gate(x)))\n\n\nmodel = Net()\n"
)

CAUSES = {
    "flat": "a nonlinearity is flat at every value it gets",
    "zeros": "zero factors stand in series or are frozen",
    "zero factor": "it is multiplied by zero",
}


@dataclass(frozen=True)
class NoGradient(ModelRule):
    """A parameter receives no gradient at all, not even after temporary steps.

    Why: where two factors of a product are both zero, or a rectifier is off for all inputs, the gradient is exactly zero at the start and after
        every step: these parameters are dead for ever.
    Silent when: gradient arrives within the temporary steps (a zero head, the zero end of a branch, LoRA's B), the parameter is frozen or was
        not used in this run, or a mask, an index, a routing decision or an empty batch chose other values: that says nothing about the next batch.
        Where a zero weight, a bias or silent units are the cause, the finding is theirs.
    Source: exact zeros of the gradient under a random cotangent, followed over up to six temporary steps for as long as each wakes another parameter.
    """

    code: ClassVar[str] = "IC110"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(bad=_MODEL.format(value="zeros"), good=_MODEL.format(value="ones"), input_shape=(16,)),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        groups: dict[str, list[Blockage]] = {}
        unsure: list[str] = []
        for blockage in evidence.blockages:
            record = evidence.record(blockage.parameter)
            if record is not None and not record.trainable:
                continue
            if blockage.cause in CAUSES:
                groups.setdefault(blockage.cause, []).append(blockage)
            else:
                unsure.append(blockage.parameter)
        for cause, group in groups.items():
            yield self._say(cause, group, evidence)
        if unsure and not groups:
            more = f" and {len(unsure) - 1} more" if len(unsure) > 1 else ""
            raise NotKnown(f"no gradient reached {unsure[0]}{more}, but what reads it may only have chosen other values in this run")

    def _say(self, cause: str, group: list[Blockage], evidence: Evidence) -> Finding:
        order = {layer.weight: index for index, layer in enumerate(evidence.layers)}
        names = tuple(sorted((one.parameter for one in group), key=lambda name: order.get(name, len(order))))
        by = next((one.by for one in group if one.by), "")
        return self.finding(
            names,
            f"no gradient ever arrives: {CAUSES[cause]}",
            observed=f"exactly zero now and after the temporary steps{f', blocked at `{by}`' if by else ''}",
            expected="gradient within a few steps",
            location=written_at(evidence.record(names[0])),
            fix=_remedy(cause, names, evidence),
            note="never trained",
            why="What never receives gradient never leaves its start.",
        )


def _remedy(cause: str, names: tuple[str, ...], evidence: Evidence) -> Fix:
    """A fresh start for the zero factors in the way: those without gradient themselves, and frozen ones, which nothing else would ever open."""
    if cause == "flat":
        return Fix(names, None, "display", "start what stands in front of the nonlinearity so that it is not flat at every value")
    zero = [
        stats.parameter
        for stats in evidence.weights
        if stats.numel and stats.second_moment == 0 and (stats.parameter in names or _frozen(stats.parameter, evidence))
    ]
    drawn = redraw(
        [name for name in zero if evidence.layer(name) is not None], evidence, "give one of the factors another start, or unfreeze it"
    )
    return drawn or Fix(names, None, "display", "give one of the factors another start, or unfreeze it")


def _frozen(parameter: str, evidence: Evidence) -> bool:
    record = evidence.record(parameter)
    return record is not None and not record.trainable
