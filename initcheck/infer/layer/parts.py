"""What a parameter is in a larger mechanism, told from the dataflow alone: a state's decay, a router, a low-rank branch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.ops import JOINS, TABLES, attribute, nonlinearity, number, transparent
from initcheck.infer.dataflow.products import is_product
from initcheck.infer.dataflow.recurrences import hand_written
from initcheck.infer.dataflow.roles import Roles
from initcheck.infer.layer.uses import Use
from initcheck.records.graph import Edge, Node

CHOICES = ("topk", "sort", "argmax")
SCORED = ("softmax", "log_softmax", "scaled_dot_product_attention")
SQUASHING = ("softmax", "sigmoid", "relu", "hardtanh")
NEAR = 24
"""Nodes that a search looks at before it gives up: mechanisms stand close together."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one parameter, and the other parameter of the mechanism (empty for none)."""

    part: str
    partner: str = ""


def parts(roles: Roles, uses: Iterable[Use]) -> Mapping[str, Part]:
    """The parts of all parameters that have one."""
    found = list(uses)
    weights = {use.node: use for use in found if use.kind in ("linear", "matmul", "conv")}
    search = _Search(roles, weights, {use.node: use.parameter for use in found if use.kind == "bias"})
    made: dict[str, Part] = {}
    for node in roles.flow.nodes:
        if roles.flow.carries[node.id] and roles.flow.live[node.id]:
            made |= search.decay(node) | search.low_rank(node)
    for use in weights.values():
        if search.chooses(use.node):
            made.setdefault(use.parameter, Part("router"))
    made |= {name: Part("recurrent_matrix") for name in hand_written(roles, found)}
    for use in found:
        part = search.logits(use) if use.kind in ("scale", "norm") else ""
        if part:
            made.setdefault(use.parameter, Part(part))
    return made


class _Search:
    def __init__(self, roles: Roles, weights: Mapping[int, Use], biases: Mapping[int, str]) -> None:
        self.roles = roles
        self.flow: Flow = roles.flow
        self.weights = weights
        self.biases = biases

    def decay(self, node: Node) -> dict[str, Part]:
        """`exp(-exp(w) * softplus(...))`: the data part is the step, the parameter the logarithm of the rate."""
        if node.op != "mul" or len(node.inputs) != 2:
            return {}
        rates = [edge for edge in node.inputs if not self.flow.carries[edge.node]]
        data = self.flow.data(node)
        if len(rates) != 1 or len(data) != 1:
            return {}
        names, _ = self.flow.parameters(rates[0].node)
        if len(names) != 1 or not self._negative_exponential(rates[0]) or not self._exponentiated(node):
            return {}
        stepped, bias = self._step(data[0])
        return {next(iter(names)): Part("state_decay", bias)} if stepped else {}

    def low_rank(self, node: Node) -> dict[str, Part]:
        """`x W + x D U` with a U that reads nothing but a D of smaller rank: the weights of the branch."""
        if not self.roles.sums.is_sum(node):
            return {}
        tops = [self._weight(edge) for edge in self.flow.data(node)]
        if len(tops) != 2 or tops[0] is None or tops[1] is None:
            return {}
        for base, up in ((tops[0], tops[1]), (tops[1], tops[0])):
            down = self._weight(up.reads[0]) if len(up.reads) == 1 else None
            if down is None or len(base.reads) != 1 or len(down.reads) != 1 or len({base.parameter, up.parameter, down.parameter}) < 3:
                continue
            rank = up.fan_in // max(up.groups, 1)
            same = self.roles.sums.origin(base.reads[0], norms=False) == self.roles.sums.origin(down.reads[0], norms=False)
            if same and rank < min(base.fan_in, base.fan_out):
                return {up.parameter: Part("low_rank_up", base.parameter), down.parameter: Part("low_rank_down", up.parameter)}
        return {}

    def chooses(self, start: int) -> bool:
        """Whether the outputs of a layer are scores: sorted out by top-k, or a softmax whose parts weight different values."""
        waiting, seen = [start], {start}
        while waiting and len(seen) < NEAR:
            here = waiting.pop()
            readers = self.flow.consumers(here)
            if any(reader.op in CHOICES and self._last_axis(here, reader) for reader, _ in readers):
                return True
            if self.flow.nodes[here].op == "softmax" and self._last_axis(here, self.flow.nodes[here]):
                views = {edge.view for reader, edge in readers if reader.op == "mul" and len(self.flow.data(reader)) > 1 and edge.view}
                if len(views) > 1:
                    return True
            for reader, _ in readers:
                passes = transparent(reader) and reader.op not in JOINS and len(self.flow.data(reader)) == 1
                if reader.id not in seen and (passes or reader.op in SQUASHING):
                    seen.add(reader.id)
                    waiting.append(reader.id)
        return False

    def logits(self, use: Use) -> str:
        """Whether one number scales what is returned (`logit_scale`) or what a softmax reads (`score_scale`), before or after a product of data."""
        sides = [edge.node for edge in self.flow.nodes[use.node].inputs if not self.flow.carries[edge.node]]
        if not any(math.prod(self.flow.nodes[side].shape) == 1 for side in sides):
            return ""
        waiting, seen, product = [use.node], {use.node}, self._reads_product(use)
        while waiting and len(seen) < NEAR:
            here = waiting.pop()
            if here in self.roles.returned and (product or is_product(self.flow, self.flow.nodes[here])):
                return "logit_scale"
            for reader, _ in self.flow.consumers(here):
                if reader.op in SCORED:
                    return "score_scale"
                passes = is_product(self.flow, reader) or (transparent(reader) and len(self.flow.data(reader)) == 1)
                if passes and reader.id not in seen:
                    product |= is_product(self.flow, reader)
                    seen.add(reader.id)
                    waiting.append(reader.id)
        return ""

    def _reads_product(self, use: Use) -> bool:
        """Whether what is scaled comes straight from a layer or a product of data."""
        return any(is_weighted(self.flow.nodes[self.roles.sums.origin(edge, norms=False).node]) for edge in use.reads)

    def _last_axis(self, here: int, reader: Node) -> bool:
        # over the scores of one token, not over all positions of one class
        axis = attribute(reader, "dim", -1)
        rank = len(self.flow.nodes[here].shape)
        return axis in (-1, rank - 1) and rank > 1

    def _weight(self, edge: Edge) -> Use | None:
        origin = self.roles.sums.origin(edge, norms=False)
        return self.weights.get(origin.node)

    def _negative_exponential(self, edge: Edge) -> bool:
        """Whether a value without data is -exp(w), moved about."""
        negative = exponential = False
        for _ in range(NEAR):
            node = self.flow.nodes[edge.node]
            if node.op == "parameter":
                return negative and exponential
            if not node.inputs:
                return False
            negative |= not exponential and (node.op == "neg" or (node.op == "mul" and number(node, "other", 0.0) == -1.0))
            exponential |= node.op == "exp"
            edge = next((operand for operand in node.inputs if self.flow.parameters(operand.node)[0]), node.inputs[0])
        return False

    def _exponentiated(self, node: Node) -> bool:
        waiting, seen = [node.id], {node.id}
        while waiting and len(seen) < NEAR:
            for reader, _ in self.flow.consumers(waiting.pop()):
                if reader.op == "exp":
                    return True
                if reader.id not in seen and (transparent(reader) or reader.op == "where"):
                    seen.add(reader.id)
                    waiting.append(reader.id)
        return False

    def _step(self, edge: Edge) -> tuple[bool, str]:
        """Whether a value is softplus of something, and the bias inside it."""
        node = self.flow.nodes[edge.node]
        for _ in range(NEAR):
            region = self.roles.inside.get(node.id)
            if node.op == "softplus" or (region is not None and region.role == "softplus"):
                return True, self._bias(region.source if region is not None and node.op != "softplus" else self.flow.data(node)[0])
            data = self.flow.data(node)
            if len(data) != 1 or not (transparent(node) or node.op in ("relu", "hardtanh", "clamp", "clamp_min")) or is_weighted(node):
                return False, ""
            node = self.flow.nodes[data[0].node]
        return False, ""

    def _bias(self, edge: Edge) -> str:
        node = self.flow.nodes[edge.node]
        for _ in range(NEAR):
            if node.id in self.biases:
                return self.biases[node.id]
            data = self.flow.data(node)
            if len(data) != 1 or is_weighted(node) or node.op in TABLES or nonlinearity(node) is not None:
                return ""
            node = self.flow.nodes[data[0].node]
        return ""
