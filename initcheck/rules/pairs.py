"""Heads that shared their memory with a table where the weights were saved, and do not in this model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.records.evidence import Evidence
from initcheck.rules.arriving import Coverage


@dataclass(frozen=True, slots=True)
class Pair:
    """`name`: the parameter that got nothing; `partner`: the loaded table of the same shape."""

    name: str
    partner: str


def pairs_of(found: Coverage, evidence: Evidence) -> Iterator[Pair]:
    """The heads without a stored tensor of whose shape a loaded embedding is."""
    tables = {layer.shape: layer.weight for layer in evidence.layers if layer.kind == "embedding" and layer.weight in found.loaded}
    for one in found.left("missing"):
        layer = evidence.layer(one.name)
        if one.because or layer is None or layer.kind not in ("linear", "unused") or len(one.shape) != 2:
            continue
        if one.shape in tables and one.shape[0] > one.shape[1] // 4:
            yield Pair(one.name, tables[one.shape])
