"""IC702."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall, ParameterRecord
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, written_at

BAG = (
    "import torch\nfrom torch import nn\n\n\nclass Bag(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.tokens = nn.Embedding(100, 32, padding_idx=0)\n        nn.init.normal_(self.tokens.weight, std=0.1)\n{row}"
    "        self.fc = nn.Linear(32, 4)\n\n    def forward(self, ids):\n        return self.fc(self.tokens(ids).mean(1))\n\n\nmodel = Bag()\n"
)


@dataclass(frozen=True)
class PaddingRowNotZero(ModelRule):
    """The padding row of an embedding table is not zero.

    Why: with `padding_idx` the row gets no gradient, ever, so an initialization that overwrites the zeros leaves a random vector there for good; every
        padded position adds it to means, sums and recurrent states.
    Silent when: the table is frozen, loaded from a file or made of outside vectors (their padding row is part of what was trained), or the module
        has no `padding_idx`.
    Source: documentation of torch.nn.Embedding (`padding_idx`: the row defaults to zeros and is not updated); the row's values, exactly.
    """

    code: ClassVar[str] = "IC702"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=BAG.format(row=""),
            good=BAG.format(row="        with torch.no_grad():\n            self.tokens.weight[0].zero_()\n"),
            input_shape=(6,),
            integers=100,
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        for table in evidence.tables:
            record = evidence.record(table.parameter)
            if table.padding < 0 or table.padding_rms == 0 or (record is not None and (not record.trainable or _from_outside(record))):
                continue
            column = f"; a whole column is zero, so perhaps weight[:, {table.padding}] was written" if table.zero_columns else ""
            yield self.finding(
                (table.parameter,),
                f"row {table.padding} is the padding row and is not zero{column}",
                observed=f"root mean square {table.padding_rms:.3g} in row {table.padding} of {table.rows:,}",
                expected="exactly 0: the row is never trained",
                location=written_at(record),
                fix=Fix(
                    (table.parameter,),
                    InitCall("zero_row_", (("row", table.padding),)),
                    "unsafe",
                    f"after the initialization: with torch.no_grad(): weight[{table.padding}].zero_()",
                ),
                note="overwrites the padding row",
                why="The module made this row zero and excludes it from training; a later initialization filled it.",
            )


def _from_outside(record: ParameterRecord) -> bool:
    ruling = record.ruling()
    return ruling is not None and ruling.origin in ("loaded", "external")
