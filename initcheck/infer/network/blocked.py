"""Why no gradient reaches a parameter: what stands between it and the nearest place that receives some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from initcheck.infer.dataflow.flow import is_weighted
from initcheck.infer.dataflow.ops import NORMS, nonlinearity, number, transparent
from initcheck.infer.layer.layers import Scene
from initcheck.infer.layer.uses import Use
from initcheck.records.evidence import Blockage
from initcheck.records.graph import Edge, Node

SELECTING = frozenset(("index", "gather", "index_select", "masked_select", "take_along_dim", "topk", "sort", "max", "min", "amax", "amin"))
"""Transparent operations that let only a part of their operand through."""


def blockages(scene: Scene, uses: Iterable[Use], dead: Iterable[str]) -> tuple[Blockage, ...]:
    """What blocks the gradient of each dead parameter that was used at all."""
    wanted = set(dead)
    nodes: dict[str, list[int]] = {}
    for use in uses:
        if use.parameter in wanted:
            nodes.setdefault(use.parameter, []).append(use.node)
    search = _Search(scene)
    return tuple(Blockage(name, *search.cause(nodes[name])) for name in sorted(nodes))


class _Search:
    def __init__(self, scene: Scene) -> None:
        self.flow = scene.flow
        self.inside = scene.roles.inside
        self.signals = scene.signals
        self.owners: Mapping[int, str] = scene.owners

    def cause(self, nodes: list[int]) -> tuple[str, str]:
        """The kind of blockage and the place or parameter that makes it; the first one met speaks when all paths are blocked."""
        found = [self._of(node) for node in nodes]
        unsure = next((one for one in found if one[0] in ("selected", "unknown")), None)
        return unsure or next(iter(found), ("unknown", ""))

    def _of(self, start: int) -> tuple[str, str]:
        if self._empty(start):
            return "selected", self.flow.nodes[start].module
        if self._arrives(start):
            # gradient arrives at its result: only once zero weights are lifted, then these alone hid it, or else what it multiplies is zero
            return ("zeros" if self._hidden_by_zeros(start) else "unknown"), self.flow.nodes[start].module
        causes: list[tuple[str, str]] = []
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop()
            for reader, edge in self.flow.consumers(here):
                found, following = self._read(here, reader, edge)
                if found is not None:
                    causes.append(found)
                elif following not in seen:
                    seen.add(following)
                    waiting.append(following)
        unsure = next((one for one in causes if one[0] in ("selected", "unknown")), None)
        return unsure or next(iter(causes), ("unknown", ""))

    def _read(self, here: int, reader: Node, edge: Edge) -> tuple[tuple[str, str] | None, int]:
        """What a reader does to the gradient: the cause when it stops there, else the node to go on from."""
        place = reader.module
        if edge.view or self._empty(reader.id):
            return ("selected", place), -1
        region = self.inside.get(reader.id)
        if region is not None and region.source.node == here:
            if self._arrives(region.end):
                return ("flat" if region.role else "unknown", place), -1
            return None, region.end
        if reader.op in ("mul", "div") and number(reader, "other", 1.0) == 0.0:
            return ("zero factor", place), -1
        if self._arrives(reader.id):
            return (self._stopped_at(reader), self.owners.get(reader.id, place)), -1
        if reader.op in SELECTING or reader.op == "where" or (reader.op in ("mul", "div") and len(self.flow.data(reader)) > 1):
            return ("selected", place), -1
        known = transparent(reader) or is_weighted(reader) or reader.op in NORMS or nonlinearity(reader) is not None
        if not known and reader.op not in ("recurrent", "scaled_dot_product_attention", "add"):
            return ("unknown", place), -1
        return None, reader.id

    def _stopped_at(self, reader: Node) -> str:
        """Gradient arrives behind this operation but not in front of it: what makes it flat."""
        if reader.op == "softmax":
            return "selected"  # a mask that leaves one key makes it flat, whatever the weights are
        if nonlinearity(reader) is not None:
            return "flat"
        if is_weighted(reader) and len(self.flow.data(reader)) > 1:
            return "zero factor"
        return "unknown"

    def _arrives(self, node: int) -> bool:
        signal = self.signals.get(node)
        return signal is not None and signal.gradient is not None and signal.gradient.known() and signal.gradient.get() > 0.0

    def _hidden_by_zeros(self, node: int) -> bool:
        signal = self.signals[node]
        return signal.lifted and signal.input_second_moment != 0.0 and self.flow.nodes[node].op != "recurrent"

    def _empty(self, node: int) -> bool:
        return 0 in self.flow.nodes[node].shape
