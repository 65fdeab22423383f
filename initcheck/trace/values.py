"""Which node made the bytes that a tensor looks at: a table of storages that knows in-place writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from initcheck.records.graph import Edge
from initcheck.trace.views import Part, part, spell


@dataclass(slots=True)
class Slot:
    """The present contents of one storage: `node` made the part `whole`; `latest` is the last partial write into it."""

    node: int
    whole: Part
    prefix: str = ""
    latest: tuple[Part, int] | None = None


@dataclass(slots=True)
class Values:
    """The table; `make_leaf(op, tensor, name)` makes a node for a tensor that nobody in the run produced."""

    make_leaf: Callable[[str, Tensor, str], int]
    slots: dict[Any, Slot] = field(default_factory=dict)
    owners: dict[Any, list[tuple[Part, str]]] = field(default_factory=dict)
    leaves: dict[str, int] = field(default_factory=dict)
    keep: dict[Any, Any] = field(default_factory=dict)

    def adopt(self, parameters: Iterable[tuple[str, Tensor]]) -> None:
        """Makes the parameters known by name; several may share one flat storage."""
        for name, tensor in parameters:
            self.owners.setdefault(self.key(tensor), []).append((part(tensor), name))

    def key(self, tensor: Tensor) -> Any:
        """The identity of the memory; a weak reference is held, so that the address cannot be reused during the run."""
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):
            # sparse and wrapper tensors have no storage: the object itself stands for its memory
            self.keep[id(tensor)] = tensor
            return id(tensor)
        key = ("storage", storage._cdata)  # noqa: SLF001
        if key not in self.keep:
            self.keep[key] = StorageWeakRef(storage)
        return key

    def knows(self, tensor: Tensor) -> bool:
        """Whether the tensor's memory belongs to a value of the run, a parameter included."""
        key = self.key(tensor)
        return key in self.slots or key in self.owners

    def read(self, tensor: Tensor) -> Edge:
        """The node that made what the tensor reads, and the part of it."""
        key = self.key(tensor)
        slot = self.slots.get(key)
        region = _part(tensor)
        if slot is None:
            return self._leaf(key, tensor, region)
        if slot.latest is not None and slot.latest[0] == region:
            return Edge(slot.latest[1])
        if region[0] >= slot.whole[0]:
            return Edge(slot.node, slot.prefix)
        return Edge(slot.node, slot.prefix + spell(region))

    def define(self, tensor: Tensor, node: int, output: int = 0) -> None:
        """A node made the memory of `tensor` anew; `output` is its position among the results."""
        self.slots[self.key(tensor)] = Slot(node, _part(tensor), f"#{output}" if output else "")

    def is_part(self, tensor: Tensor) -> bool:
        """Whether writing to `tensor` leaves a part of its value as it was."""
        slot = self.slots.get(self.key(tensor))
        return slot is not None and _part(tensor)[0] < slot.whole[0]

    def patch(self, tensor: Tensor, node: int, merged: int) -> None:
        """A node wrote the part `tensor` of a value; `merged` stands for the whole afterwards."""
        slot = self.slots[self.key(tensor)]
        slot.node, slot.prefix, slot.latest = merged, "", (_part(tensor), node)

    def _leaf(self, key: Any, tensor: Tensor, region: Part) -> Edge:
        owners = self.owners.get(key)
        if owners is None:
            self.slots[key] = Slot(self.make_leaf("constant", tensor, ""), region)
            return Edge(self.slots[key].node)
        # in a flat buffer the owner is the last parameter that begins at or before the view
        whole, name = max((o for o in owners if o[0][1] <= region[1]), key=lambda o: o[0][1], default=owners[0])
        if name not in self.leaves:
            self.leaves[name] = self.make_leaf("parameter", tensor, name)
        return Edge(self.leaves[name], "" if region[0] >= whole[0] else spell(region))


def _part(tensor: Tensor) -> Part:
    try:
        return part(tensor)
    except (NotImplementedError, RuntimeError):
        return tensor.numel(), 0, ()
