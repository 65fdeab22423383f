"""Residual streams: residual adds whose shortcuts follow each other, and how much each of them adds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from initcheck.infer.dataflow.flow import is_weighted
from initcheck.infer.dataflow.ops import NORMS, TABLES, nonlinearity
from initcheck.infer.dataflow.residual import Skip
from initcheck.infer.dataflow.roles import Roles
from initcheck.records.evidence import ResidualSum, Stream
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.graph import Edge, Node
from initcheck.records.stats import SignalStats

BOUNDED = frozenset(("softmax", "sigmoid", "hardsigmoid", "tanh", "hardtanh", "softsign", "sin", "relu6"))
"""Nonlinearities whose output does not grow with their input."""


def streams(roles: Roles, owners: Mapping[int, str], signals: Mapping[int, SignalStats]) -> tuple[Stream, ...]:
    """All maximal streams of at least two sums, in the order of execution."""
    skips = {skip.node: skip for skip in roles.skips}
    before: dict[int, tuple[int, bool]] = {}
    length: dict[int, int] = {}
    for node, skip in skips.items():
        linked = _previous(roles, skip.shortcut, skips)
        length[node] = 1
        if linked is not None:
            # a stream is of one kind: what passes a normalization does not continue what does not
            same = linked[0] not in before or before[linked[0]][1] == linked[1]
            before[node] = linked
            length[node] = length[linked[0]] + 1 if same else 2
    found = []
    for last in _lasts(skips, before, length):
        path = [last]
        while path[0] in before and length[path[0]] > 1:
            path.insert(0, before[path[0]][0])
            if len(path) == length[last]:
                break
        sums = tuple(_sum(roles, skips[node], owners, signals, path[index - 1] if index else None) for index, node in enumerate(path))
        found.append(Stream(sums, before[last][1]))
    return tuple(found)


def nearest_weights(roles: Roles, edge: Edge, owners: Mapping[int, str], *, norms: bool = False) -> tuple[str, ...]:
    """The weights that a value comes from through no other weight; the scales of normalizations end the way too, if asked."""
    found: list[str] = []
    waiting, seen = [edge.node], set()
    while waiting:
        node = roles.flow.nodes[waiting.pop()]
        if node.id in seen:
            continue
        seen.add(node.id)
        ends = is_weighted(node) or node.op in ("recurrent", "custom") or (norms and node.op in NORMS)
        if ends and node.id in owners:
            found.append(owners[node.id])
        elif not ends or len(roles.flow.data(node)) > 1 or (norms and node.op in NORMS):
            waiting += [before.node for before in roles.flow.data(node)]
    return tuple(dict.fromkeys(found))


def _lasts(skips: Mapping[int, Skip], before: Mapping[int, tuple[int, bool]], length: Mapping[int, int]) -> list[int]:
    """The sums that end a stream of their kind."""
    continued = {linked[0] for node, linked in before.items() if length[node] > 2 or linked[0] not in before}
    return [node for node in skips if length[node] > 1 and (node not in continued)]


def _previous(roles: Roles, shortcut: Edge, skips: Mapping[int, Skip]) -> tuple[int, bool] | None:
    """The sum that a shortcut starts from, and whether a normalization lies in between."""
    normed = False
    edge = shortcut
    while True:
        node = roles.flow.nodes[roles.sums.origin(edge, norms=False).node]
        if node.id in skips:
            return node.id, normed
        region = roles.inside.get(node.id)
        data = roles.flow.data(node)
        if region is not None and region.end == node.id and region.role:
            normed |= region.norm
            edge = region.source
        elif len(data) == 1 and (node.op in NORMS or nonlinearity(node) is not None):
            normed |= node.op in NORMS
            edge = data[0]
        else:
            return None


def _sum(roles: Roles, skip: Skip, owners: Mapping[int, str], signals: Mapping[int, SignalStats], before: int | None) -> ResidualSum:
    flow = roles.flow
    inside = [
        owners[node]
        for node in range(skip.source + 1, skip.branch.node + 1)
        if node in owners and _multiplies(flow.nodes[node]) and flow.descends(skip.branch.node, node) and (flow.descends(node, skip.source))
    ]
    shortcut = roles.sums.origin(skip.shortcut, norms=False).node
    growth = _log(signals, skip.node, shortcut)
    return ResidualSum(
        closing=nearest_weights(roles, skip.branch, owners),
        branch=tuple(dict.fromkeys(inside)),
        growth=growth,
        net=growth if before is None else _log(signals, skip.node, before),
        bounded=_bounded(roles, skip),
    )


def _multiplies(node: Node) -> bool:
    return (is_weighted(node) and node.op not in TABLES) or node.op == "recurrent"


def _log(signals: Mapping[int, SignalStats], after: int, before: int) -> Fact[float]:
    above, below = signals.get(after), signals.get(before)
    if above is None or below is None:
        return Unknown("the residual stream was not measured here")
    if not (math.isfinite(above.second_moment) and math.isfinite(below.second_moment)):
        return Unknown("the residual stream is not finite")
    if above.second_moment == 0 or below.second_moment == 0:
        return Unknown("the residual stream is zero")
    return Known(math.log(above.second_moment / below.second_moment))


def _bounded(roles: Roles, skip: Skip) -> bool:
    """Whether no path of the branch leads back to its source without a normalization or a bounded nonlinearity."""
    waiting, seen = [skip.branch.node], set()
    while waiting:
        here = waiting.pop()
        if here == skip.source:
            return False
        if here in seen or here < skip.source:
            continue
        seen.add(here)
        node = roles.flow.nodes[here]
        region = roles.inside.get(here)
        if region is not None and region.end == here and region.role:
            if not region.norm and region.role not in BOUNDED:
                waiting.append(region.source.node)
        elif node.op not in NORMS and nonlinearity(node) not in BOUNDED:
            waiting += [edge.node for edge in roles.flow.data(node)]
    return True
