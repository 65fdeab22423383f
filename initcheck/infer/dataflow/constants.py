"""Tensors of the model that are no parameters: where they meet the data of the run."""

from __future__ import annotations

from collections import defaultdict

from initcheck.infer.dataflow.flow import Flow
from initcheck.infer.dataflow.ops import attribute
from initcheck.records.evidence import ConstantUse


def constants(flow: Flow) -> tuple[ConstantUse, ...]:
    """For every held tensor that entered the run, the operations in which it first meets data, in the order of the run.

    A partial write over it is no use: a cache that is filled slice by slice hands its old contents on without being read.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for node in flow.nodes:
        name = attribute(node, "held", "")
        if node.op == "constant" and isinstance(name, str) and name:
            found[name] += _met(flow, node.id)
    return tuple(ConstantUse(name, tuple(dict.fromkeys(operations))) for name, operations in found.items())


def _met(flow: Flow, start: int) -> list[str]:
    operations: list[str] = []
    waiting, seen = [start], {start}
    while waiting:
        here = waiting.pop()
        for reader, slot in flow.readers[here]:
            node = flow.nodes[reader]
            if reader in seen or not flow.live[reader] or (node.op == "slice_scatter" and slot == 0):
                continue
            seen.add(reader)
            if flow.carries[reader]:
                operations.append(node.op)
            else:
                waiting.append(reader)
    return operations
