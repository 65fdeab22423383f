"""Recurrent cells written out by hand: gates of two sources that blend an old state with a new one."""

from __future__ import annotations

from dataclasses import dataclass, field

from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.ops import JOINS, TABLES, nonlinearity, transparent
from initcheck.infer.dataflow.residual import Sums
from initcheck.records.graph import Edge, Node


@dataclass(frozen=True, slots=True)
class Cells:
    """`gates` are the nonlinearities on the cells' own weights, `states` the products and sums that carry their state."""

    gates: frozenset[int] = field(default_factory=frozenset)
    states: frozenset[int] = field(default_factory=frozenset)


def cells(flow: Flow, sums: Sums) -> Cells:
    """All nodes of hand-written gated recurrences.

    The mark of one is a sum of gated values (`f * c + i * g`, `(1 - z) * n + z * h`, `n + z * (h - n)`) with sigmoid gates that read
    two different values, so a highway layer or a gated convolution is none.
    """
    if not any(node.op == "sigmoid" for node in flow.nodes):
        return Cells()
    search = _Search(flow, sums)
    own: set[str] = set()
    for node in flow.nodes:
        if flow.live[node.id] and flow.carries[node.id]:
            own |= search.weights_of_cell(node)
    return search.members(frozenset(own)) if own else Cells()


class _Search:
    def __init__(self, flow: Flow, sums: Sums) -> None:
        self.flow = flow
        self.sums = sums

    def weights_of_cell(self, node: Node) -> set[str]:
        """The parameters of the cell whose new state this sum is; empty when it is none."""
        gated = self._blended(node)
        gates = [gate for product in gated for gate in self._gates(product)]
        if not gates or not any(self._two_sources(gate) for gate in gates):
            return set()
        layers = {layer for gate in gates for layer in self._layers(gate)}
        for product in gated:
            for value in [product, *(self._origin(edge) for edge in self.flow.data(product))]:
                if nonlinearity(value) is not None and not any(self.flow.descends(gate.id, value.id) for gate in gates):
                    layers |= self._layers(value)
        layers |= {layer for gate in self._readers(node) for layer in self._layers(gate)}
        reset = [gate for layer in layers for edge in self._read(layer) for gate in self._gates(self._origin(edge))]
        layers |= {layer for gate in reset if self._two_sources(gate) for layer in self._layers(gate)}
        return {name for layer in layers for name in self._names(layer)}

    def members(self, own: frozenset[str]) -> Cells:
        """All gates and states that are made with the cells' own weights, at every step."""
        gates: set[int] = set()
        states: set[int] = set()
        for node in self.flow.nodes:
            if not self.flow.carries[node.id] or node.id in self.sums.inside:
                continue
            before = [self._origin(edge).id for edge in self.flow.data(node)]
            if nonlinearity(node) is not None and len(before) == 1:
                layers = self._layers(node)
                if layers and all(self._names(layer) <= own for layer in layers):
                    gates.add(node.id)
                elif before[0] in states:
                    states.add(node.id)
            elif (
                (node.op == "mul" and len(before) > 1 and any(one in gates or one in states for one in before))
                or (node.op == "lerp" and any(one in gates for one in before))
                or (self.sums.is_sum(node) and all(one in gates or one in states for one in before))
            ):
                states.add(node.id)
        for gate in gates:
            self.sums.plain |= self._path(gate)
        self.sums.plain |= states
        return Cells(frozenset(gates), frozenset(states))

    def _blended(self, node: Node) -> list[Node]:
        """The gated products that a sum blends."""
        if node.op == "lerp" and len(self.flow.data(node)) == 3:
            return [node]
        if not self.sums.is_sum(node):
            return []
        values = [self._origin(edge) for edge in self.flow.data(node)]
        products = [value for value in values if self._is_gated(value)]
        if len(products) == len(values):
            return products
        other = [value for value in values if value not in products]
        if len(products) == 1 and len(other) == 1:
            differences = [self._origin(edge) for edge in self.flow.data(products[0])]
            if any(
                other[0].id in [self._origin(edge).id for edge in self.flow.data(one)] for one in differences if one.op in ("sub", "rsub")
            ):
                return [*products, other[0]]
        return []

    def _is_gated(self, node: Node) -> bool:
        return node.op == "mul" and node.id not in self.sums.inside and len(self.flow.data(node)) > 1 and bool(self._gates(node))

    def _gates(self, node: Node) -> list[Node]:
        """The sigmoids among the operands of a product (`1 - z` included)."""
        if node.op not in ("mul", "lerp") or len(self.flow.data(node)) < 2:
            return []
        return [value for edge in self.flow.data(node) if (value := self._origin(edge)).op == "sigmoid"]

    def _readers(self, node: Node) -> list[Node]:
        """The gates that let the state out: `o` in `o * tanh(c)`."""
        found = []
        for reader, _ in self.flow.consumers(node.id):
            if nonlinearity(reader) == "tanh":
                found += [gate for product, _ in self.flow.consumers(reader.id) for gate in self._gates(product)]
        return found

    def _origin(self, edge: Edge) -> Node:
        return self.flow.nodes[self.sums.origin(edge, norms=False).node]

    def _layers(self, node: Node) -> set[int]:
        """The layers whose outputs make up the pre-activation of a nonlinearity."""
        return {here for here in self._path(node.id) if is_weighted(self.flow.nodes[here]) and self.flow.nodes[here].op not in TABLES}

    def _path(self, gate: int) -> set[int]:
        """What stands between a nonlinearity and the layers in front of it, those included."""
        found: set[int] = set()
        waiting = [edge.node for edge in self.flow.data(self.flow.nodes[gate])]
        while waiting:
            here = self.flow.nodes[waiting.pop()]
            if here.id in found:
                continue
            found.add(here.id)
            if is_weighted(here):
                continue
            if here.op == "sigmoid" or self.sums.is_sum(here) or (here.op == "mul" and self._gates(here)) or transparent(here):
                waiting += [edge.node for edge in self.flow.data(here)]
        return found

    def _two_sources(self, gate: Node) -> bool:
        sources: set[Edge] = set()
        for layer in self._layers(gate):
            sources |= set(self._read(layer))
        return len(sources) > 1

    def _read(self, layer: int) -> list[Edge]:
        """The values that a layer reads, the parts of a concatenation one by one."""
        found: list[Edge] = []
        for edge in self.flow.data(self.flow.nodes[layer]):
            origin = self.sums.origin(edge, norms=False)
            node = self.flow.nodes[origin.node]
            found += [self.sums.origin(part, norms=False) for part in self.flow.data(node)] if node.op in JOINS else [origin]
        return found

    def _names(self, layer: int) -> frozenset[str]:
        node = self.flow.nodes[layer]
        return frozenset(name for edge in node.inputs if not self.flow.carries[edge.node] for name in self.flow.parameters(edge.node)[0])
