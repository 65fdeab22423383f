"""Sums of two data operands: a skip connection around a branch, or just two parts of one pre-activation."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.fusion import OPAQUE, Region
from initcheck.infer.dataflow.ops import NORMS, SUMS, TABLES, nonlinearity, transparent
from initcheck.records.graph import Edge, Node

NESTED = 4
"""Branches side by side that one shortcut may carry."""


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
        self.plain: set[int] = set()
        self._skips: dict[int, Skip | None] = {}

    def is_sum(self, node: Node) -> bool:
        """Whether a node adds at least two data operands that are not one fused region."""
        return node.op in SUMS and len(self.flow.data(node)) > 1 and node.id not in self.inside

    def skip(self, node: Node) -> Skip | None:
        """The residual add that this sum is, if it is one."""
        if node.id in self.plain:
            return None  # inside a hand-written recurrent cell
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
        origin = self.origin(shortcut, norms=False)
        for _ in range(NESTED):
            if origin.node != branch.node and self._depends(branch, origin):
                return Skip(node.id, origin.node, shortcut, branch)
            # branches side by side (`x + f(x) + g(x)`): the inner sum already carries the shortcut
            inner = self.skip(self.flow.nodes[origin.node]) if origin.node < node.id else None
            if inner is None:
                return None
            origin = self.origin(inner.shortcut, norms=False)
        return None

    def _projected(self, node: Node, shortcut: Edge, branch: Edge) -> Skip | None:
        top = self.flow.nodes[self.origin(shortcut, norms=True).node]
        if not is_weighted(top) or top.op in TABLES:
            return None
        read = self.flow.data(top)
        if len(read) != 1:
            return None
        origin = self.origin(read[0], norms=False)
        made = self.flow.nodes[self.origin(branch, norms=True).node]
        if not self._depends(branch, origin) or not self._branches(branch, origin, top):
            return None
        if not is_weighted(made) and any(not self._depends(edge, origin) for edge in self.flow.data(made)):
            return None  # a gate that lets in something else (`W x + r * (U h)`)
        return Skip(node.id, origin.node, shortcut, branch)

    def _branches(self, branch: Edge, origin: Edge, projection: Node) -> bool:
        """Whether something nonlinear stands on the branch, and not the projection's own weight (a recurrence, `W x + U h`)."""
        names = self._weights(projection)
        curved = False
        for node in self.flow.nodes[origin.node + 1 : branch.node + 1]:
            if not (self.flow.carries[node.id] and self.flow.descends(branch.node, node.id) and self.flow.descends(node.id, origin.node)):
                continue
            if node.id == projection.id or (is_weighted(node) and names & self._weights(node)):
                return False
            curved |= nonlinearity(node) is not None or node.op in OPAQUE or node.id in self.inside
            curved |= (node.op == "mul" or is_weighted(node)) and len(self.flow.data(node)) > 1
        return curved

    def _weights(self, node: Node) -> frozenset[str]:
        return frozenset(name for edge in node.inputs if not self.flow.carries[edge.node] for name in self.flow.parameters(edge.node)[0])

    def origin(self, edge: Edge, *, norms: bool) -> Edge:
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
        """Whether the branch is made of the very part that `origin` names, or of the whole of it."""
        if not self.flow.descends(branch.node, origin.node):
            return False
        if not origin.view:
            return True
        waiting, seen = [branch], set()
        while waiting:
            edge = waiting.pop()
            if edge.node == origin.node:
                if edge.view in ("", origin.view):
                    return True
            elif edge.node > origin.node and edge.node not in seen:
                seen.add(edge.node)
                waiting.extend(self.flow.nodes[edge.node].inputs)
        return False
