"""Where the signal stops being finite: the first operation whose NaN or infinity reaches a layer or an output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from initcheck.infer.dataflow.flow import is_weighted
from initcheck.infer.dataflow.ops import NORMS
from initcheck.infer.dataflow.roles import Roles
from initcheck.infer.network.streams import nearest_weights
from initcheck.records.evidence import NonFinite
from initcheck.records.graph import Edge
from initcheck.records.stats import BrokenValue

MASKS = frozenset(("masked_fill", "where", "full", "fill", "full_like", "new_full", "tril", "triu", "scatter", "index_put", "constant"))
"""Operations that put infinities on purpose."""


def nonfinite(roles: Roles, owners: Mapping[int, str], broken: Sequence[BrokenValue]) -> NonFinite | None:
    """The origin of what is not finite in a layer's result or in an output; `None` when masks alone are infinite."""
    suffering = [value.node for value in broken if _suffers(roles, value)]
    if not suffering:
        return None
    flow = roles.flow
    before = [value for value in broken if any(flow.descends(end, value.node) for end in suffering)]
    first = next((value for value in before if value.nan), before[0])
    made = [
        value for value in before if value.from_finite and flow.nodes[value.node].op not in MASKS and flow.descends(first.node, value.node)
    ]
    if not made:
        masked = flow.nodes[first.node].op == "softmax"
        return NonFinite(flow.nodes[first.node].op, flow.nodes[first.node].module, (), "masked" if masked else "given")
    node = flow.nodes[made[0].node]
    weights = (owners[node.id],) if node.id in owners else nearest_weights(roles, Edge(node.id), owners)
    return NonFinite(node.op, node.module, weights, "NaN" if made[0].nan else "infinity")


def _suffers(roles: Roles, value: BrokenValue) -> bool:
    """Whether a value that must be finite is not: a layer's result, a normalized one, or NaN in an output."""
    node = roles.flow.nodes[value.node]
    if not roles.flow.live[node.id]:
        return False
    layer = is_weighted(node) or node.op in NORMS
    output = node.id in roles.returned
    return (value.nan and (layer or output)) or (value.infinite and layer and node.op != "baddbmm")
