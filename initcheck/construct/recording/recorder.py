"""Watches the construction of a model: every operation that makes or writes memory, and who asked for it."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from initcheck.construct.arrivals.settling import settled
from initcheck.construct.arrivals.watching import ArrivalWatch
from initcheck.construct.plumbing.applying import ApplyWatch
from initcheck.construct.plumbing.losses import in_vain
from initcheck.construct.plumbing.registrations import Registrations
from initcheck.construct.recording import poison
from initcheck.construct.recording.events import made, written
from initcheck.construct.recording.frames import Trace, capture, storage_key
from initcheck.construct.recording.history import FOREIGN, Event, Slot, region_of
from initcheck.construct.recording.operations import DROPPABLE, RANDOM, Operation, operation
from initcheck.construct.recording.provenance import Watched, resolve, stranger
from initcheck.records.recording import InitCall, Origin, Recording

SWEEP = 4096
"""Number of storages at which those that are gone are forgotten for the first time."""
KEPT = 4096
"""Most histories of gone memory that are kept because something was written there on purpose."""


class Recorder(TorchDispatchMode):
    """A context manager around the construction of a model; may be entered again, for a lazy module's first forward.

    Fresh uninitialized memory is filled with a marked NaN, so that what nobody writes can be proven; the mark stays in the model.
    The random stream is not touched. Other threads are not seen.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        """Whether operations pass by unnoticed for a while."""
        self._operations: dict[Any, Operation | None] = {}
        self._slots: dict[int, Slot] = {}
        self._sweep_at = SWEEP
        self._serial = 0
        self._threads = 0
        self._hooked = False
        self._deeds = 0
        self._applying = ApplyWatch(lambda: self._deeds)
        self._registrations = Registrations(self._known)
        self._arrivals = ArrivalWatch(self._silent, self._foreign)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True would import torch._dynamo, which costs more than the whole check.
        return False

    def __enter__(self) -> Recorder:
        if threading.getprofile() is None:
            threading.setprofile(self._notice_thread)
            self._hooked = True
        self._registrations.start()
        self._applying.start()
        self._arrivals.start()
        super().__enter__()
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        super().__exit__(kind, value, traceback)
        self._arrivals.stop()
        self._applying.stop()
        self._registrations.stop()
        if self._hooked:
            threading.setprofile(None)
            self._hooked = False

    def resolve(self, model: torch.nn.Module) -> Recording:
        """The provenance of every parameter of a model that was built while this recorder watched, and what was written in vain."""
        watched = Watched(self._slots, threads=self._threads > 0)
        recording = resolve(model, watched)
        recording = replace(recording, arrivals=settled(model, self._arrivals.noted, recording))
        return in_vain(model, recording, watched, self._applying.finished, self._registrations.moved)

    @contextmanager
    def _silent(self) -> Iterator[None]:
        """Inside, operations pass by unnoticed."""
        before, self.paused = self.paused, True
        try:
            yield
        finally:
            self.paused = before

    def _foreign(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor's numbers were not made by what is watched."""
        slot = self._known(tensor)
        ruling = slot.ruling() if slot is not None else None
        return ruling is None or ruling.origin in FOREIGN

    def _notice_thread(self, _frame: Any, _event: str, _argument: Any) -> None:
        self._threads += 1
        sys.setprofile(None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in self._operations:
            self._operations[func] = operation(func)
        what = self._operations[func]
        if what is None or what.idle or self.paused:
            return func(*args, **kwargs)
        self._deeds += 1
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
            event = written(what, call, trace, inputs)
            event.regions = None if whole else [region_of(tensor)]
            if what.effect == "overwrite":
                self._note_purpose(slot, event, what, tensor)
                if whole:
                    slot.suspect = any(source.suspect for source in inputs) and trace.call is None
                    slot.read = False
            slot.add(event)

    def _note_purpose(self, slot: Slot, event: Event, what: Operation, tensor: torch.Tensor) -> None:
        """Whether somebody outside torch.nn overwrote a parameter, or what was computed from one, on purpose."""
        if slot.owner is None and type(tensor) is torch.nn.Parameter:
            slot.owner = weakref.ref(tensor)
        event.sweep = self._applying.sweep
        if event.origin not in ("user", "library"):
            return
        event.told = slot.owner is not None
        if event.instance is not None or what.name in RANDOM:
            slot.notable = slot.notable or event.told or bool(slot.parents)

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
            slot.allocated = Event("empty", None, "never written", trace.site, "the memory was never written")
            slot.add(slot.allocated)
            poison.mark(tensor)

    def _note_made(self, what: Operation, values: list[Any], tensor: torch.Tensor, trace: Trace) -> None:
        inputs = self._inputs(what, values, None, trace)
        slot = self._new(tensor, trace)
        if slot is None:
            return
        call = what.spelled(values)
        if what.name == "lift_fresh":
            call = InitCall("tensor", tuple(("data", value) for _, value in call.kwargs))
        event = made(what, call, trace, inputs)
        slot.suspect = any(source.suspect for source in inputs)
        slot.allocated = next((source.allocated for source in inputs if source.suspect), None)
        if inputs:
            slot.parents = tuple(dict.fromkeys(key for one in inputs for key in (one.parents if one.owner is None else (one.serial,))))[:8]
            slot.mirrors = what.pure and (inputs[0].owner is not None or inputs[0].mirrors)
            slot.notable = bool(slot.parents) and what.name in DROPPABLE and trace.origin == "user"
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
        found = (self._slot(tensor, trace) for tensor in read if what.pure or tensor.ndim or tensor.requires_grad)
        slots = list({slot.serial: slot for slot in found if slot is not None}.values())
        for slot in slots:
            slot.read = True
        return slots

    def _known(self, tensor: torch.Tensor) -> Slot | None:
        key = storage_key(tensor)
        return self._slots.get(key) if key is not None else None

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
            self._sweep()
        self._serial += 1
        # The weak reference keeps the identity from being used again while the data is freed as ever.
        slot = self._slots[key] = Slot(self._serial, StorageWeakRef(tensor.untyped_storage()), trace.user)
        return slot

    def _sweep(self) -> None:
        """Forget memory that is gone, but for some of what was written on purpose."""
        kept = 0
        for key, slot in list(self._slots.items()):
            if slot.gone():
                kept += slot.notable
                if not slot.notable or kept > KEPT:
                    del self._slots[key]
        self._sweep_at = max(SWEEP, 2 * len(self._slots))

    def _stranger(self, tensor: torch.Tensor, trace: Trace) -> tuple[Origin, str]:
        if trace.loaded:
            return "loaded", "the values were read from a file or a state dict"
        return stranger(tensor, threads=self._threads > 0)


def _numbered(value: Any) -> Iterator[tuple[int, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield 0, value
    elif isinstance(value, (list, tuple)):
        yield from ((index, item) for index, item in enumerate(value) if isinstance(item, torch.Tensor))


def _tensors(values: Sequence[Any]) -> Iterator[tuple[int, torch.Tensor]]:
    for value in values:
        yield from _numbered(value)


__all__ = ["Recorder"]
