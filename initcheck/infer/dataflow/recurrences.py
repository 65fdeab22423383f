"""Plain recurrences written out by hand: a square weight that meets its own nonlinear result again, step after step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from initcheck.infer.dataflow.flow import is_weighted
from initcheck.infer.dataflow.ops import nonlinearity, transparent
from initcheck.infer.dataflow.roles import Roles
from initcheck.infer.layer.uses import Use

BOUNDED = ("tanh", "relu", "sigmoid", "hardtanh", "elu", "selu", "softsign", "leaky_relu", "sin")
"""Nonlinearities that recurrences are built with."""
NEAR = 16


def hand_written(roles: Roles, uses: Iterable[Use]) -> frozenset[str]:
    """The weights U of steps `h = phi(W x + U h)`; gated cells are told by `cells`, and have no single matrix that the whole state meets."""
    by_weight: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        if use.kind in ("linear", "matmul") and use.fan_in == use.fan_out and not use.derived and len(use.reads) == 1:
            by_weight[use.parameter].append(use)
    return frozenset(
        name
        for name, mine in by_weight.items()
        if len(mine) > 1 and all(_follows(roles, before, after) for before, after in pairwise(mine))
    )


def _follows(roles: Roles, before: Use, after: Use) -> bool:
    """Whether a use reads the nonlinear result of a sum of the use before and something new; without the sum it is a deep stack of one layer."""
    made = roles.flow.nodes[roles.sums.origin(after.reads[0], norms=False).node]
    if nonlinearity(made) not in BOUNDED or len(roles.flow.data(made)) != 1 or made.id in roles.cells.gates:
        return False
    waiting, seen, summed, met = [roles.flow.data(made)[0].node], set[int](), False, False
    while waiting and len(seen) < NEAR:
        here = roles.flow.nodes[waiting.pop()]
        met |= here.id == before.node
        if here.id in seen or is_weighted(here):
            continue
        seen.add(here.id)
        if roles.sums.is_sum(here) or (transparent(here) and len(roles.flow.data(here)) == 1):
            summed |= roles.sums.is_sum(here)
            waiting += [edge.node for edge in roles.flow.data(here)]
    return met and summed
