"""Sums of two data operands: a skip connection around a branch, or just two parts of one pre-activation."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.infer.flow import Flow, is_weighted
from initcheck.infer.fusion import Region
from initcheck.infer.ops import NORMS, SUMS, TABLES, transparent
from initcheck.records.graph import Edge, Node


@dataclass(frozen=True, slots=True)
class Skip:
    """A residual add: `source` is the value that the shortcut starts from, `shortcut` and `branch` are the operands."""

    node: int
    source: int
    shortcut: Edge
    branch: Edge


class Sums:
    """Tells residual adds from plain sums; remembers what it found."""

    def __init__(self, flow: Flow, inside: dict[int, Region]) -> None:
        self.flow = flow
        self.inside = inside
        self._skips: dict[int, Skip | None] = {}

    def is_sum(self, node: Node) -> bool:
        """Whether a node adds at least two data operands that are not one fused region."""
        return node.op in SUMS and len(self.flow.data(node)) > 1 and node.id not in self.inside

    def skip(self, node: Node) -> Skip | None:
        """The residual add that this sum is, if it is one."""
        if node.id not in self._skips:
            self._skips[node.id] = self._find(node) if self.is_sum(node) else None
        return self._skips[node.id]

    def all(self) -> list[Skip]:
        """All live residual adds, in the order of execution."""
        return [skip for node in self.flow.nodes if self.flow.live[node.id] and (skip := self.skip(node)) is not None]

    def _find(self, node: Node) -> Skip | None:
        data = self.flow.data(node)
        for projected in (False, True):
            for shortcut, branch in ((data[0], data[1]), (data[1], data[0])):
                found = self._projected(node, shortcut, branch) if projected else self._identity(node, shortcut, branch)
                if found is not None:
                    return found
        return None

    def _identity(self, node: Node, shortcut: Edge, branch: Edge) -> Skip | None:
        origin = self._origin(shortcut, norms=False)
        if origin is None or origin.node == branch.node or not self._depends(branch, origin):
            return None
        return Skip(node.id, origin.node, shortcut, branch)

    def _projected(self, node: Node, shortcut: Edge, branch: Edge) -> Skip | None:
        top = self._origin(shortcut, norms=True)
        if top is None or not is_weighted(self.flow.nodes[top.node]) or self.flow.nodes[top.node].op in TABLES:
            return None
        read = self.flow.data(self.flow.nodes[top.node])
        if len(read) != 1:
            return None
        origin = self._origin(read[0], norms=False)
        other = self._origin(branch, norms=True)
        if origin is None or other is None or not self._depends(branch, origin):
            return None
        made = self.flow.nodes[other.node]
        if not is_weighted(made) and any(not self._depends(edge, origin) for edge in self.flow.data(made)):
            return None  # a gate that lets in something else (`W x + r * (U h)`)
        if is_weighted(made):
            beside = self.flow.data(made)
            if len(beside) == 1 and self._origin(beside[0], norms=False) == origin:
                return None  # two single layers side by side
        return Skip(node.id, origin.node, shortcut, branch)

    def _origin(self, edge: Edge, *, norms: bool) -> Edge | None:
        """Climbs through what only moves or rescales (and, if asked, normalizes) one value."""
        while True:
            node = self.flow.nodes[edge.node]
            region = self.inside.get(node.id)
            if region is not None and region.end == node.id and (region.role == "" or (norms and region.norm)):
                edge = region.source
                continue
            data = self.flow.data(node)
            passes = (transparent(node) and not is_weighted(node)) or (norms and node.op in NORMS)
            if node.op in ("input", "parameter", "constant") or region is not None or not passes or len(data) != 1:
                return edge
            edge = Edge(data[0].node, data[0].view or edge.view if node.shape == self.flow.nodes[data[0].node].shape else data[0].view)

    def _depends(self, branch: Edge, origin: Edge) -> bool:
        if not self.flow.descends(branch.node, origin.node):
            return False
        if not origin.view or self.flow.nodes[origin.node].op != "input":
            return True
        waiting, seen = [branch], set()  # a part of the input is only the same value when the very part is read
        while waiting:
            edge = waiting.pop()
            if edge == origin:
                return True
            if edge.node not in seen:
                seen.add(edge.node)
                waiting.extend(self.flow.nodes[edge.node].inputs)
        return False
