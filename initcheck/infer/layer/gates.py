"""Sigmoid gates: how much they let through, and which weights get gradient through nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from initcheck.infer.dataflow.flow import Flow
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.stats import SignalStats

SIGMOIDS = ("sigmoid", "hardsigmoid")


class Reached(Protocol):
    """What a nonlinearity's result reaches: role words by node."""

    @property
    def ends(self) -> Mapping[int, str]:
        """The nodes where each role's result stands."""


def gate_value(flow: Flow, curved: Mapping[int, str], after: Mapping[int, Reached], signals: Mapping[int, SignalStats]) -> Fact[float]:
    """The root mean square of the gate's values; of the least open one when a layer makes several gates."""
    found = [signals[end].second_moment ** 0.5 for end in _gates(flow, curved, after) if end in signals]
    return Known(min(found)) if found else Unknown("no sigmoid gate was measured here")


def only_through(flow: Flow, owners: Mapping[int, str], curved: Mapping[int, str], after: Mapping[int, Reached]) -> tuple[str, ...]:
    """The weights that reach the model's outputs through nothing but products with this layer's gates."""
    gates = _gates(flow, curved, after)
    products = {product for end in gates for product, role in after[end].ends.items() if role == "gate_multiply"}
    if not products:
        return ()
    gated = [
        edge.node
        for product in products
        for edge in flow.data(flow.nodes[product])
        if not any(flow.descends(edge.node, end) for end in gates)
    ]
    behind = {node for node in owners if any(flow.descends(value, node) for value in gated)}
    return tuple(sorted({owners[node] for node in behind - _reaching_output(flow, products)}))


def _gates(flow: Flow, curved: Mapping[int, str], after: Mapping[int, Reached]) -> list[int]:
    """The sigmoids whose result multiplies other data; a gated linear unit's node holds the product, not the gate."""
    return [
        end
        for end, role in curved.items()
        if role in SIGMOIDS and end in after and flow.nodes[end].op != "glu" and "gate_multiply" in after[end].ends.values()
    ]


def _reaching_output(flow: Flow, without: set[int]) -> set[int]:
    """The nodes that the model's outputs depend on by a path around the nodes `without`."""
    found: set[int] = set()
    waiting = [edge.node for edge in flow.graph.outputs]
    while waiting:
        here = waiting.pop()
        if here in found or here in without:
            continue
        found.add(here)
        waiting.extend(edge.node for edge in flow.nodes[here].inputs if edge.node < here)
    return found
