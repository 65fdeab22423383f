"""Products of two data operands: which of them are attention."""

from __future__ import annotations

from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.ops import TABLES
from initcheck.records.graph import Node

SOFTMAX = ("softmax",)


def attentions(flow: Flow) -> frozenset[int]:
    """The products of data by data that belong to an attention.

    A batched one does when a softmax stands next to it, or when one such product follows another (attention without a softmax);
    a plain one only when it stands before or behind a softmax between two products, for it may be a layer whose weights a network made.
    """
    products = {node.id for node in flow.nodes if flow.carries[node.id] and is_product(flow, node)}
    if not products:
        return frozenset()
    found: set[int] = set()
    following = {product: _next(flow, product) for product in products}
    for node in flow.nodes:
        if node.op in SOFTMAX and flow.carries[node.id]:
            before = {product for product in products if node.id in following[product]}
            after = _next(flow, node.id) & products
            found |= before | after if before and after else {product for product in before | after if _batched(flow, product)}
    for product in products:
        others = {other for other in following[product] & products if _batched(flow, other)}
        if others and _batched(flow, product):
            found |= others | {product}
    return frozenset(found)


def is_product(flow: Flow, node: Node) -> bool:
    """Whether a node multiplies two matrices that both carry data."""
    return is_weighted(node) and node.op not in TABLES and len(flow.data(node)) > 1 and node.op != "_trilinear"


def _batched(flow: Flow, node: int) -> bool:
    return flow.nodes[node].op in ("bmm", "baddbmm")


def _next(flow: Flow, start: int) -> set[int]:
    """The next layers, products and softmaxes behind a value, through whatever else stands between."""
    found: set[int] = set()
    waiting, seen = [start], {start}
    while waiting:
        for reader, _ in flow.consumers(waiting.pop()):
            if reader.id in seen:
                continue
            seen.add(reader.id)
            if is_weighted(reader) or reader.op in SOFTMAX:
                found.add(reader.id)
            else:
                waiting.append(reader.id)
    return found
