"""What a value feeds and what it was made by: the nearest things that are not transparent."""

from __future__ import annotations

from dataclasses import dataclass, field

from initcheck.infer.dataflow.cells import cells
from initcheck.infer.dataflow.flow import LEAVES, Flow, is_weighted
from initcheck.infer.dataflow.fusion import Region, regions
from initcheck.infer.dataflow.ops import JOINS, NOISE, NORMS, PRODUCTS_OF_DATA, SUMS, TABLES, attribute, nonlinearity, transparent
from initcheck.infer.dataflow.products import attentions
from initcheck.infer.dataflow.residual import Sums
from initcheck.infer.layer.pieces import pieces
from initcheck.records.graph import Edge, Node


@dataclass(slots=True)
class Reach:
    """What a value reaches: role words, how it was merged on the way, the nodes where each role's result stands, and the edges of arrival."""

    roles: set[str] = field(default_factory=set)
    merges: set[str] = field(default_factory=set)
    ends: dict[int, str] = field(default_factory=dict)
    closes: bool = False


class Roles:
    """Walks a flow forwards and backwards."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.inside: dict[int, Region] = regions(flow)
        self.sums = Sums(flow, self.inside)
        self.attentions = attentions(flow)
        self.cells = cells(flow, self.sums)
        self.skips = self.sums.all()  # only now: the cells have told which sums are plain
        self.returned = {edge.node for edge in flow.graph.outputs}

    def feeds(self, start: int) -> Reach:
        """What the value of node `start` feeds."""
        reach = Reach()
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop()
            if here in self.returned:
                reach.roles.add("output")
            for reader, edge in self.flow.consumers(here):
                following = self._arrive(here, reader, edge, reach)
                if following is not None and following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return reach

    def fed_by(self, edges: list[Edge]) -> set[str]:
        """What made the values that come in through these edges."""
        roles: set[str] = set()
        waiting = [edge.node for edge in edges]
        seen: set[int] = set()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            role, before = self.made(self.flow.nodes[here])
            if role:
                roles.add(role)
            waiting.extend(before)
        return roles

    def _arrive(self, here: int, reader: Node, edge: Edge, reach: Reach) -> int | None:
        """Notes the role of a reader; gives the node to go on from when the reader is transparent."""
        if reader.id in self.cells.gates or reader.id in self.cells.states:
            self._note(reach, "recurrent", reader.id)
            return None
        region = self.inside.get(reader.id)
        if region is not None:
            if region.source.node != here:
                return reader.id if reader.id != region.end else region.end
            if region.role == "":
                return region.end
            self._note(reach, region.role, region.end)
            return None
        if self.sums.is_sum(reader):
            skip = self.sums.skip(reader)
            if skip is None:
                reach.merges.add("sum")
                return reader.id
            reach.closes |= edge == skip.branch
            reach.merges.add("residual_add")
            self._note(reach, "residual_add", reader.id)
            return None
        role = self._role(reader, edge)
        if role == "":
            if reader.op in SUMS and self._with_noise(reader):
                reach.merges.add("noise")
            if reader.op in JOINS and len(self.flow.data(reader)) > 1:
                reach.merges.add("concat")
            return reader.id
        if reader.op == "glu":
            reach.roles.add("gate_multiply")
        if role == "gate_multiply":
            reach.merges.add("gate_multiply")
        self._note(reach, role, reader.id)
        return None

    def _note(self, reach: Reach, role: str, end: int) -> None:
        reach.roles.add(role)
        reach.ends[end] = role

    def _role(self, node: Node, edge: Edge) -> str:
        """The role of a node that is no region and no sum; empty for a transparent one."""
        data = self.flow.data(node)
        if node.op == "recurrent":
            return "recurrent"
        if node.op == "custom":
            return f"custom:{node.region or 'function'}"
        if node.op == "scaled_dot_product_attention":
            return "attention"
        if is_weighted(node):
            return "attention" if node.id in self.attentions else "weight_layer"
        if node.op in NORMS:
            return "instance_norm" if self._per_instance(node, edge) else NORMS[node.op]
        word = nonlinearity(node)
        if word is not None and not (node.op in PRODUCTS_OF_DATA and len(data) > 1):
            return word
        if node.op in ("mul", "div", "addcmul") and len(data) > 1:
            return "gate_multiply"
        if pieces(self.flow, node) > 1:
            return "custom:maxout"
        if node.op in ("maximum", "minimum"):
            return "relu" if node.op == "maximum" and self._with_zero(node) else f"custom:{node.op}"
        if transparent(node) or node.op == "where":
            return ""
        return f"custom:{node.op}"

    def made(self, node: Node) -> tuple[str, list[int]]:
        """The role word of a producer, or the nodes to climb on to."""
        if node.op == "input":
            return "input", []
        if node.op in LEAVES or not self.flow.carries[node.id]:
            return "", []
        if node.id in self.cells.states:
            return "recurrent", []
        region = self.inside.get(node.id)
        if region is not None and region.end == node.id:
            return region.role, [] if region.role else [region.source.node]
        if self.sums.is_sum(node):
            return ("residual_add", []) if self.sums.skip(node) is not None else ("", [edge.node for edge in self.flow.data(node)])
        if node.op in TABLES:
            return "embedding", []
        if node.op == "glu":
            return "gate_multiply", []
        role = self._role(node, node.inputs[0] if node.inputs else Edge(node.id))
        return role, [] if role else [edge.node for edge in self.flow.data(node)]

    def _with_noise(self, node: Node) -> bool:
        """Whether random numbers that no data enter are added."""
        waiting = [edge.node for edge in node.inputs if not self.flow.carries[edge.node]]
        while waiting:
            here = self.flow.nodes[waiting.pop()]
            if attribute(here, "made", here.op) in NOISE:
                return True
            waiting += [edge.node for edge in here.inputs if edge.node < here.id and not self.flow.carries[edge.node]]
        return False

    def _with_zero(self, node: Node) -> bool:
        others = [self.flow.nodes[edge.node] for edge in node.inputs if not self.flow.carries[edge.node]]
        return any(attribute(other, "made", other.op) in ("zeros", "zeros_like", "new_zeros") for other in others)

    def _per_instance(self, node: Node, edge: Edge) -> bool:
        """Whether a batch normalization sees one batch of samples times channels: torch's way of an instance normalization."""
        before = self.flow.nodes[edge.node].shape
        return node.op == "native_batch_norm" and len(before) > 1 and before[0] > 1 and node.shape[:2] == (1, before[0] * before[1])
