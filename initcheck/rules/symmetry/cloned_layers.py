"""IC304."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.records.source import Location
from initcheck.rules.base import ModelRule, written_at
from initcheck.rules.remedies import redraw

MIXING = ("linear", "conv", "conv_transpose", "bilinear", "matmul", "recurrent")


@dataclass(frozen=True)
class ClonedLayers(ModelRule):
    """Several layers start with byte-identical random weights.

    Why: `copy.deepcopy` (and `nn.TransformerEncoder(layer, n)`, which uses it) copies the drawn numbers, so a deep stack starts as one layer
        applied n times; the draws are correlated where every analysis assumes independence.
    Silent when: the memory is shared on purpose (tied weights), the copy is frozen or takes no part in the forward pass (target and
        momentum networks), or the values are not random (identity, zeros, tables).
    Source: equal random tensors have probability zero; pytorch/pytorch issues 72253 and 86274.
    """

    code: ClassVar[str] = "IC304"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import copy\nfrom torch import nn\n\nblock = nn.Sequential(nn.Linear(16, 16), nn.ReLU())\n"
            "model = nn.Sequential(*[copy.deepcopy(block) for _ in range(3)])\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[nn.Sequential(nn.Linear(16, 16), nn.ReLU()) for _ in range(3)])\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        groups: dict[tuple[str, tuple[int, ...]], list[Layer]] = {}
        for layer in evidence.layers:
            stats = evidence.stats(layer.weight)
            if stats is not None and stats.fingerprint and self._counts(layer, evidence):
                groups.setdefault((stats.fingerprint, stats.shape), []).append(layer)
        cloned = [group for group in groups.values() if len(group) > 1]
        if not cloned:
            return
        names = tuple(layer.weight for group in cloned for layer in group[1:])
        first = cloned[0]
        depth = max(len(group) for group in cloned)
        ordered = tuple(sorted(names, key=[layer.weight for layer in evidence.layers].index))
        yield self.finding(
            ordered,
            f"{depth} layers start with the same random numbers: copies of `{first[0].name}`",
            observed=f"{len(names)} weights are byte-identical copies of another",
            expected="an independent draw for each layer",
            location=self._copied_at(first[1], evidence),
            fix=redraw(ordered, evidence, "build each layer anew, or re-initialise the copies"),
            note="copied here",
            why="A copied layer repeats the numbers that were drawn once; build each layer anew, or re-initialise the copies.",
        )

    def _counts(self, layer: Layer, evidence: Evidence) -> bool:
        stats, record = evidence.stats(layer.weight), evidence.record(layer.weight)
        if layer.kind not in MIXING or stats is None or stats.constant or stats.zeros * 2 > stats.numel or stats.numel < 8:
            return False
        return layer.uses > 0 and (record is None or record.trainable)

    def _copied_at(self, layer: Layer, evidence: Evidence) -> Location | None:
        record = evidence.record(layer.weight)
        copies = [write for write in record.writes if write.origin == "copied" and write.location.known()] if record is not None else []
        return copies[-1].location.get() if copies else written_at(record)
