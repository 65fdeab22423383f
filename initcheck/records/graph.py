"""The dataflow of one real forward pass, as plain numbers and words."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.records.recording import Plain
from initcheck.records.source import Location


@dataclass(frozen=True, slots=True)
class Edge:
    """A use of the value that node `node` made; `view` is the canonical part of it that is read (empty: all of it)."""

    node: int
    view: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation (views make no nodes).

    `op` is the canonical operation name (`addmm`, `convolution`, `relu` …), or `parameter`, `input`, `constant`.
    `inputs` are in the order of the tensor arguments. `module` is the path of the innermost module that ran it,
    `region` the opaque block it belongs to (a recurrent module, a custom autograd function), empty for none.
    """

    id: int
    op: str
    inputs: tuple[Edge, ...] = ()
    shape: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    module: str = ""
    attributes: tuple[tuple[str, Plain | tuple[int, ...]], ...] = ()
    region: str = ""
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """All operations in the order of execution, and the values that were returned."""

    nodes: tuple[Node, ...]
    outputs: tuple[Edge, ...]
