"""From one operation, the stack above it and the memory that it read to the event of a history."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.construct.recording.frames import Trace
from initcheck.construct.recording.history import FOREIGN, Event, Slot, merged
from initcheck.construct.recording.operations import Operation
from initcheck.records.recording import LEFT_OUT, InitCall


def written(what: Operation, call: InitCall, trace: Trace, inputs: Sequence[Slot]) -> Event:
    """An in-place operation."""
    if trace.call is not None:
        return Event(what.effect, trace.call, trace.origin, trace.site, lineage=(trace.call,), instance=trace.instance)
    if what.effect != "overwrite":
        event = Event(what.effect, call, trace.origin, trace.site, lineage=(call,), sources=merged(inputs)[1])
        event.instance, event.opens = trace.instance, False
        return event
    event = made(what, call, trace, inputs)
    if trace.helper is not None:
        event.call, event.reason, event.instance = trace.helper, "", trace.instance
    return event


def made(what: Operation, call: InitCall, trace: Trace, inputs: Sequence[Slot]) -> Event:
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
        if trace.absent:
            event.call, event.reason = None, LEFT_OUT
    elif base.origin in FOREIGN:
        event.origin = base.origin
    elif trace.framework or (what.pure and not in_place):
        event.origin, event.spot = base.origin, base.spot
