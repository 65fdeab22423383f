"""Watches the construction of a model: every operation that makes or writes memory, and who asked for it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from initcheck.construct import poison
from initcheck.construct.frames import Trace, capture, storage_key
from initcheck.construct.history import FOREIGN, Event, Slot, merged, region_of
from initcheck.construct.operations import Operation, operation
from initcheck.construct.provenance import Watched, resolve, stranger
from initcheck.records.recording import InitCall, Origin, Recording

SWEEP = 4096
"""Number of storages at which those that are gone are forgotten for the first time."""


class Recorder(TorchDispatchMode):
    """A context manager around the construction of a model; may be entered again, for a lazy module's first forward.

    Fresh uninitialized memory is filled with a marked NaN, so that what nobody writes can be proven; the mark stays in the model.
    The random stream is not touched. Other threads are not seen.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()
        self._operations: dict[Any, Operation | None] = {}
        self._slots: dict[int, Slot] = {}
        self._sweep_at = SWEEP
        self._serial = 0
        self._threads = 0
        self._hooked = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True would import torch._dynamo, which costs more than the whole check.
        return False

    def __enter__(self) -> Recorder:
        if threading.getprofile() is None:
            threading.setprofile(self._notice_thread)
            self._hooked = True
        super().__enter__()
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        super().__exit__(kind, value, traceback)
        if self._hooked:
            threading.setprofile(None)
            self._hooked = False

    def resolve(self, model: torch.nn.Module) -> Recording:
        """The provenance of every parameter of a model that was built while this recorder watched."""
        return resolve(model, Watched(self._slots, threads=self._threads > 0))

    def _notice_thread(self, _frame: Any, _event: str, _argument: Any) -> None:
        self._threads += 1
        sys.setprofile(None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in self._operations:
            self._operations[func] = operation(func)
        what = self._operations[func]
        if what is None or what.idle:
            return func(*args, **kwargs)
        grows = what.resizes and storage_key(args[0]) is not None and args[0].untyped_storage().nbytes() == 0
        out = func(*args, **kwargs)
        values = what.values(args, kwargs)
        frame = sys._getframe(1)  # noqa: SLF001  (inspect's public wrapper does not take a depth)
        if what.written:
            self._note_writes(what, values, frame)
        if what.creates:
            self._note_created(what, values, out, frame)
        elif grows:
            self._note_empty(args[0], capture(frame, ()))
        elif what.sets:
            self._slot(args[0], capture(frame, ()))
        return out

    def _note_writes(self, what: Operation, values: list[Any], frame: Any) -> None:
        targets = [(item, tensor) for position in what.written for item, tensor in _numbered(values[position])]
        keys = {key: None for _, tensor in targets if (key := storage_key(tensor)) is not None}
        if not keys:
            return
        trace = capture(frame, keys)
        for item, tensor in targets:
            slot = self._slot(tensor, trace)
            if slot is None:
                continue
            call = what.spelled(values, item)
            inputs = self._inputs(what, values, item, trace)
            whole = tensor.numel() * tensor.element_size() >= tensor.untyped_storage().nbytes() and region_of(tensor).dense
            event = _written(what, call, trace, inputs)
            event.regions = None if whole else [region_of(tensor)]
            if what.effect == "overwrite" and whole:
                slot.suspect = any(source.suspect for source in inputs) and trace.call is None
            slot.add(event)

    def _note_created(self, what: Operation, values: list[Any], out: Any, frame: Any) -> None:
        trace: Trace | None = None
        before = {key for _, tensor in _tensors(values) if (key := storage_key(tensor)) is not None} if what.name != "lift_fresh" else set()
        for _, tensor in _numbered(out):
            key = storage_key(tensor)
            known = key is None or key in before or (what.name == "lift_fresh" and key in self._slots)
            if known:
                continue
            trace = trace or capture(frame, ())
            if what.empty:
                self._note_empty(tensor, trace)
            elif what.name == "lift_fresh" and not tensor.untyped_storage().resizable():
                self._slot(tensor, trace)
            else:
                self._note_made(what, values, tensor, trace)

    def _note_empty(self, tensor: torch.Tensor, trace: Trace) -> None:
        slot = self._new(tensor, trace)
        if slot is not None:
            slot.suspect = True
            slot.add(Event("empty", None, "never written", trace.site, "the memory was never written"))
            poison.mark(tensor)

    def _note_made(self, what: Operation, values: list[Any], tensor: torch.Tensor, trace: Trace) -> None:
        inputs = self._inputs(what, values, None, trace)
        slot = self._new(tensor, trace)
        if slot is None:
            return
        call = what.spelled(values)
        if what.name == "lift_fresh":
            call = InitCall("tensor", tuple(("data", value) for _, value in call.kwargs))
        event = _made(what, call, trace, inputs)
        slot.suspect = any(source.suspect for source in inputs)
        if what.pure and inputs and not trace.copied:
            slot.created = inputs[0].created or slot.created
        slot.add(event)

    def _inputs(self, what: Operation, values: list[Any], item: int | None, trace: Trace) -> list[Slot]:
        """The memory that was read; for one tensor of a `_foreach_` operation only its partners."""
        if trace.call is not None or not what.reads:
            return []
        read: list[torch.Tensor] = []
        for position, value in enumerate(values):
            if position in what.written:
                continue
            paired = isinstance(value, (list, tuple)) and item is not None
            read += [tensor for number, tensor in _numbered(value) if not paired or number == item]
        slots = (self._slot(tensor, trace) for tensor in read if what.pure or tensor.ndim or tensor.requires_grad)
        return list({slot.serial: slot for slot in slots if slot is not None}.values())

    def _slot(self, tensor: torch.Tensor, trace: Trace) -> Slot | None:
        """The history of a tensor's memory; memory that is met for the first time was made elsewhere."""
        key = storage_key(tensor)
        if key is None:
            return None
        slot = self._slots.get(key)
        if slot is None:
            slot = self._new(tensor, trace)
            if slot is not None:
                origin, reason = self._stranger(tensor, trace)
                slot.add(Event("foreign", None, origin, trace.site, reason))
        return slot

    def _new(self, tensor: torch.Tensor, trace: Trace) -> Slot | None:
        key = storage_key(tensor)
        if key is None:
            return None
        if len(self._slots) >= self._sweep_at:
            self._slots = {old: slot for old, slot in self._slots.items() if not slot.reference.expired()}  # type: ignore[attr-defined]
            self._sweep_at = max(SWEEP, 2 * len(self._slots))
        self._serial += 1
        # The weak reference keeps the identity from being used again while the data is freed as ever.
        slot = self._slots[key] = Slot(self._serial, StorageWeakRef(tensor.untyped_storage()), trace.user)
        return slot

    def _stranger(self, tensor: torch.Tensor, trace: Trace) -> tuple[Origin, str]:
        if trace.loaded:
            return "loaded", "the values were read from a file or a state dict"
        return stranger(tensor, threads=self._threads > 0)


def _written(what: Operation, call: InitCall, trace: Trace, inputs: Sequence[Slot]) -> Event:
    """An in-place operation."""
    if trace.call is not None:
        return Event(what.effect, trace.call, trace.origin, trace.site, lineage=(trace.call,), instance=trace.instance)
    if what.effect != "overwrite":
        event = Event(what.effect, call, trace.origin, trace.site, lineage=(call,), sources=merged(inputs)[1])
        event.instance, event.opens = trace.instance, False
        return event
    event = _made(what, call, trace, inputs)
    if trace.helper is not None:
        event.call, event.reason, event.instance = trace.helper, "", trace.instance
    return event


def _made(what: Operation, call: InitCall, trace: Trace, inputs: Sequence[Slot]) -> Event:
    """New values: from nothing, or from other memory."""
    if trace.call is not None:
        return Event("overwrite", trace.call, trace.origin, trace.site, lineage=(trace.call,), instance=trace.instance)
    lineage, sources = merged(inputs)
    if not (what.pure and inputs):
        lineage = (*lineage, call)
    event = Event("overwrite", call, trace.origin, trace.site, lineage=lineage, sources=sources, pure=what.pure or what.joining)
    event.pure = event.pure and all(old.pure or not old.sources for slot in inputs for old in slot.events)
    event.here = trace.site
    base = _base(inputs)
    if base is not None:
        _inherit(event, base, what, trace, alone=len(inputs) == 1)
    return event


def _base(inputs: Sequence[Slot]) -> Event | None:
    """The event whose values the new ones essentially are: that of the only input, or of the only random one."""
    drawn = [slot for slot in inputs if slot.random()]
    chosen = drawn if len(drawn) == 1 else inputs if len(inputs) == 1 else []
    if chosen:
        return chosen[0].ruling()
    strange = [event for slot in inputs if (event := slot.ruling()) is not None and event.origin in FOREIGN]
    return strange[0] if strange and not drawn else None


def _inherit(event: Event, base: Event, what: Operation, trace: Trace, *, alone: bool) -> None:
    if alone or not what.joining:
        event.call, event.reason = base.call, base.reason
    event.source_origin = base.source_origin if base.origin == "copied" else base.origin
    in_place = what.name.endswith("copy_")
    if trace.copied:
        event.origin = "copied"
    elif trace.loaded and what.pure:
        event.origin = "loaded"
    elif base.origin in FOREIGN:
        event.origin = base.origin
    elif trace.framework or (what.pure and not in_place):
        event.origin, event.spot = base.origin, base.spot


def _numbered(value: Any) -> Iterator[tuple[int, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield 0, value
    elif isinstance(value, (list, tuple)):
        yield from ((index, item) for index, item in enumerate(value) if isinstance(item, torch.Tensor))


def _tensors(values: Sequence[Any]) -> Iterator[tuple[int, torch.Tensor]]:
    for value in values:
        yield from _numbered(value)


__all__ = ["Recorder"]
