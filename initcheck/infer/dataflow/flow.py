"""The graph as a thing to walk: what carries data, who reads whom, and what descends from what."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from initcheck.infer.dataflow.ops import TABLES, WEIGHTED, attribute
from initcheck.records.graph import Edge, Graph, Node

LEAVES = ("parameter", "input", "constant")


class Flow:
    """A graph with its edges turned both ways.

    `carries[n]` says that float data from the model's input runs through node n; nodes without it are made of parameters and constants only.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.readers: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for node in graph.nodes:
            for slot, edge in enumerate(node.inputs):
                self.readers[edge.node].append((node.id, slot))
        self.carries = self._carriers()
        self.live = self._live()

    def data(self, node: Node) -> list[Edge]:
        """The operands that carry data, without the index of an embedding."""
        return [edge for edge in node.inputs if self.carries[edge.node]]

    def consumers(self, node: int) -> list[tuple[Node, Edge]]:
        """The live nodes that read a value as data, and through which edge."""
        found = []
        for reader, slot in self.readers[node]:
            if self.live[reader] and self.carries[reader]:
                found.append((self.nodes[reader], self.nodes[reader].inputs[slot]))
        return found

    def parameters(self, node: int) -> tuple[frozenset[str], bool]:
        """The parameters that a value without data is made of, and whether by more than copies and casts."""
        if node not in self._made:
            self._made[node] = self._parameters(node)
        return self._made[node]

    @cached_property
    def ancestors(self) -> list[int]:
        """For each node a bit mask of the nodes that its value depends on, itself included."""
        masks: list[int] = []
        for node in self.nodes:
            mask = 1 << node.id
            for edge in node.inputs:
                if edge.node < node.id:
                    mask |= masks[edge.node]
            masks.append(mask)
        return masks

    def descends(self, node: int, ancestor: int) -> bool:
        """Whether the value of `node` depends on `ancestor` (or is it)."""
        return bool(self.ancestors[node] >> ancestor & 1)

    @cached_property
    def _made(self) -> dict[int, tuple[frozenset[str], bool]]:
        return {}

    def _parameters(self, node: int) -> tuple[frozenset[str], bool]:
        here = self.nodes[node]
        if here.op == "parameter":
            return frozenset(here.parameters), False
        names: frozenset[str] = frozenset()
        derived = False
        for edge in here.inputs:
            if edge.node < node and not self.carries[edge.node]:
                more, computed = self.parameters(edge.node)
                names |= more
                derived |= computed
        plain = here.op in ("clone", "_to_copy", "to", "contiguous", "view", "cat", "stack", "alias", "detach", "slice_scatter")
        return names, bool(names) and (derived or not plain)

    def _carriers(self) -> list[bool]:
        counts = [False] * len(self.nodes)
        while True:
            carries = self._carry(counts)
            more = [edge.node for node in self.nodes for edge in self._counted(node, carries)]
            if not more:
                return carries
            for node in self._made_of(more):
                counts[node] = True

    def _carry(self, counts: list[bool]) -> list[bool]:
        """What carries data when the whole numbers in `counts` do (raw bytes of images, time steps, one-hot classes)."""
        carries: list[bool] = []
        for node in self.nodes:
            before = any(carries[edge.node] for edge in node.inputs if edge.node < node.id)
            if node.op in LEAVES:
                carries.append(node.op == "input" and (counts[node.id] or not _integer(node)))
            elif node.op in TABLES:
                index = node.inputs[1].node if len(node.inputs) > 1 else node.id
                carries.append(index < node.id and self._from_input(index))
            elif _integer(node):
                carries.append(counts[node.id])
            else:
                carries.append(before or counts[node.id])
        return carries

    def _counted(self, node: Node, carries: list[bool]) -> list[Edge]:
        """The operands of a layer that stem from whole numbers of the input, when nothing else that it multiplies is data."""
        if node.op not in WEIGHTED or node.op in TABLES or carries[node.id]:
            return []
        return [edge for edge in node.inputs if edge.node < node.id and self._from_input(edge.node)]

    def _made_of(self, nodes: list[int]) -> set[int]:
        """The nodes between the model's input and these values."""
        found: set[int] = set()
        waiting = list(nodes)
        while waiting:
            here = waiting.pop()
            if here not in found and self._from_input(here):
                found.add(here)
                waiting.extend(edge.node for edge in self.nodes[here].inputs)
        return found

    def _from_input(self, node: int) -> bool:
        return self._stems[node]

    @cached_property
    def _stems(self) -> list[bool]:
        """Whether each node depends on the model's input at all."""
        stems: list[bool] = []
        for node in self.nodes:
            stems.append(node.op == "input" or any(stems[edge.node] for edge in node.inputs if edge.node < node.id))
        return stems

    def _live(self) -> list[bool]:
        live = [False] * len(self.nodes)
        waiting = [edge.node for edge in self.graph.outputs]
        if not waiting:
            return [True] * len(self.nodes)
        while waiting:
            here = waiting.pop()
            if not live[here]:
                live[here] = True
                waiting.extend(edge.node for edge in self.nodes[here].inputs)
        return live


def _integer(node: Node) -> bool:
    return bool(attribute(node, "integer", False))


def unread_inputs(graph: Graph) -> bool:
    """Whether the run read a float input of the model that no output depends on, or none of it at all."""
    live = Flow(graph).live
    return any(node.op == "input" and not _integer(node) and not live[node.id] for node in graph.nodes)


def is_weighted(node: Node) -> bool:
    """Whether a node multiplies its operands as a layer does."""
    return node.op in WEIGHTED
