"""Turns the watched memory into the record of each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch.nn.parameter import is_lazy

from initcheck.construct.plumbing.holdings import Held, held
from initcheck.construct.recording import poison
from initcheck.construct.recording.coverage import covered
from initcheck.construct.recording.frames import location, storage_key
from initcheck.construct.recording.history import Event, Region, Slot, region_of
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.recording import Origin, ParameterRecord, Recording, TensorRecord, Write
from initcheck.records.source import Location

META = "a tensor on the meta device holds no values, and torch skips some initializers there"
RESCALING = frozenset({"mul", "div", "add", "sub", "neg", "pow", "lerp", "addcmul", "addcdiv"})
NO_LINE = "no source line outside torch asked for it"


@dataclass(frozen=True, slots=True)
class Watched:
    """All memory that a recorder saw, by storage key; `threads` says that other threads were started meanwhile."""

    slots: Mapping[int, Slot]
    threads: bool = False
    names: dict[int, list[str]] = field(default_factory=dict)
    """Serial number of a memory -> the parameters that live in it."""


def stranger(tensor: torch.Tensor, *, threads: bool) -> tuple[Origin, str]:
    """What can be said of memory that no watched operation made: the origin and the reason why no more is known."""
    if tensor.device.type == "cpu" and not tensor.untyped_storage().resizable():
        return "external", "the memory was made outside torch (NumPy, a file mapping or another buffer)"
    if threads:
        return "unknown", "it was built in another thread, or before the recording began"
    return "unknown", "it was built before the recording began"


def unwatched(model: torch.nn.Module) -> Recording:
    """The parameters of a live module of which no write is known."""
    records, notes = [], []
    for group in _groups(model):
        if is_lazy(group.tensor):
            notes.append(f"{group.names[0]} is lazy and has no memory yet")
        else:
            records.append(_record(group))
    tensors = tuple(_tensor_record(one, None) for one in held(model))
    return Recording(tuple(records), watched=False, notes=tuple(notes), tensors=tensors)


def resolve(model: torch.nn.Module, watched: Watched) -> Recording:
    """The provenance of every parameter of a model that was built under watch."""
    groups = _groups(model)
    for group in groups:
        if group.key in watched.slots:
            watched.names.setdefault(watched.slots[group.key].serial, []).extend(group.names[:1])
    records, notes = [], []
    for group in groups:
        if is_lazy(group.tensor):
            notes.append(f"{group.names[0]} is lazy and has no memory yet")
            continue
        record = _watched_record(group, watched)
        if record.unwritten:
            notes.append(
                f"{record.name}: {record.unwritten} of {group.tensor.numel()} elements hold NaN in place of whatever was in memory"
            )
        records.append(record)
    tensors = tuple(_tensor_record(one, watched) for one in held(model))
    notes += [
        f"{one.name}: {one.unwritten} of {math.prod(one.shape)} elements hold NaN in place of whatever was in memory"
        for one in tensors
        if one.unwritten
    ]
    return Recording(tuple(records), notes=tuple(notes), tensors=tensors)


@dataclass(frozen=True, slots=True)
class _Group:
    """One parameter with all its names."""

    names: tuple[str, ...]
    tensor: torch.Tensor
    key: int
    module: str
    owner: str


def _groups(model: torch.nn.Module) -> list[_Group]:
    found: dict[object, _Group] = {}
    modules = dict(model.named_modules(remove_duplicate=False))
    for name, tensor in model.named_parameters(remove_duplicate=False):
        key = storage_key(tensor)
        # The same object, or another object that shows the same memory in the same way.
        identity = id(tensor) if key is None or not tensor.numel() else (key, region_of(tensor))
        if identity in found:
            old = found[identity]
            found[identity] = replace(old, names=(*old.names, name))
            continue
        module = name.rpartition(".")[0]
        found[identity] = _Group((name,), tensor, key or 0, module, type(modules[module]).__name__)
    return list(found.values())


def _record(group: _Group) -> ParameterRecord:
    return ParameterRecord(
        name=group.names[0],
        shape=tuple(group.tensor.shape),
        dtype=str(group.tensor.dtype).removeprefix("torch."),
        trainable=group.tensor.requires_grad,
        module=group.module,
        owner=group.owner,
        tied=group.names[1:],
    )


def _tensor_record(one: Held, watched: Watched | None) -> TensorRecord:
    group = _Group((one.name,), one.tensor, storage_key(one.tensor) or 0, one.module, one.owner)
    record = _watched_record(group, watched) if watched is not None else _record(group)
    return TensorRecord(
        name=record.name,
        kind=one.kind,
        shape=record.shape,
        dtype=record.dtype,
        trainable=record.trainable and one.tensor.is_leaf,
        module=one.module,
        owner=one.owner,
        persistent=one.persistent,
        writes=record.writes,
        unwritten=record.unwritten,
        created=record.created,
    )


def _watched_record(group: _Group, watched: Watched) -> ParameterRecord:
    record = _record(group)
    slot = watched.slots.get(group.key)
    if slot is None:
        origin, reason = stranger(group.tensor, threads=watched.threads)
        return replace(record, writes=(Write(record.name, Unknown(reason), Unknown(reason), origin),))
    region = region_of(group.tensor)
    events = [event for event in slot.events if event.regions is None or any(part.overlaps(region) for part in event.regions)]
    reached = _reached(region, events)
    numel = group.tensor.numel()
    unwritten = _unwritten(group.tensor, slot, reached)
    created = location(slot.created)
    if slot.suspect and not reached and group.tensor.is_meta:
        return replace(record, writes=(Write(record.name, Unknown(META), _line(events[0]), "unknown"),), created=created)
    if unwritten and unwritten == numel:
        return replace(record, writes=(_never(record.name, slot.allocated or events[0]),), unwritten=unwritten, created=created)
    writes = _writes(record, region, events, watched)
    picked = any(event.deed == "scatter" for event in events)
    if slot.suspect and reached + unwritten < numel and not picked and poison.can_mark(group.tensor):
        writes = (*writes, _unseen(record.name, partial=reached + unwritten > 0))
    return replace(record, writes=writes, unwritten=unwritten, created=created)


def _reached(region: Region, events: Sequence[Event]) -> int:
    """The number of elements that watched operations overwrote."""
    deeds = [event for event in events if event.deed in ("overwrite", "foreign")]
    if any(event.regions is None for event in deeds):
        return region.numel
    return covered(region, [part for event in deeds for part in event.regions or ()])


def _unwritten(tensor: torch.Tensor, slot: Slot, reached: int) -> int:
    if not slot.suspect or not tensor.numel():
        return 0
    if poison.can_mark(tensor):
        return poison.marked(tensor)
    return int(tensor.numel()) - reached


def _never(name: str, allocation: Event) -> Write:
    return Write(name, Unknown("the memory was never written"), _line(allocation), "never written")


def _unseen(name: str, *, partial: bool) -> Write:
    reason = "written outside torch (through NumPy or a raw pointer)"
    return Write(name, Unknown(reason), Unknown(reason), "external", "partial" if partial else "full")


def _writes(record: ParameterRecord, region: Region, events: Sequence[Event], watched: Watched) -> tuple[Write, ...]:
    deeds = [event for event in events if event.deed != "empty"]
    full = [index for index, event in enumerate(deeds) if _covers(event, region)]
    start = full[-1] if full else 0
    deeds = deeds[start:]
    parts = [event for event in deeds[1 if full else 0 :] if event.deed == "overwrite"]
    writes = [write_of(record.name, event, region, watched) for event in deeds]
    pieces = [piece for event in parts for piece in event.regions or ()]
    if len(parts) > 1 and sum(piece.numel for piece in pieces) >= region.numel and covered(region, pieces) == region.numel:
        joined = _joined([write_of(record.name, event, region, watched) for event in parts])
        after = deeds.index(parts[0])
        rest = [write for event, write in zip(deeds[after:], writes[after:], strict=True) if event not in parts]
        writes = [joined, *rest]
    return _once(writes)


def _once(writes: Sequence[Write]) -> tuple[Write, ...]:
    """One line in a loop (`w[i, i] = 1`) is one write; but two rescalings by the same line are two."""
    kept: list[Write] = []
    for write in writes:
        rescales = write.call.known() and write.call.get().name.rstrip("_").lstrip("_").removeprefix("foreach_") in RESCALING
        if rescales or write not in kept:
            kept.append(write)
    return tuple(kept)


def _covers(event: Event, region: Region) -> bool:
    if event.deed not in ("overwrite", "foreign"):
        return False
    return event.regions is None or covered(region, event.regions) == region.numel


def _joined(parts: Sequence[Write]) -> Write:
    """Several partial writes that together reached every element."""
    calls = {part.call for part in parts}
    origins = {part.origin for part in parts}
    lineage = tuple(dict.fromkeys(call for part in parts for call in part.lineage))
    sources = tuple(dict.fromkeys(name for part in parts for name in part.sources))
    call = calls.pop() if len(calls) == 1 else Unknown(f"written in {len(parts)} parts by different calls")
    origin = origins.pop() if len(origins) == 1 else "user" if "user" in origins else parts[-1].origin
    return replace(parts[-1], call=call, origin=origin, extent="full", lineage=lineage, sources=sources)


def write_of(name: str, event: Event, region: Region, watched: Watched) -> Write:
    """An event as the record of a write into the parameter `name`, which lies in `region` of its memory."""
    own = {name}
    sources = tuple(dict.fromkeys(other for serial in event.sources for other in watched.names.get(serial, ()) if other not in own))
    copied = event.pure and bool(sources) and event.deed == "overwrite"
    return Write(
        parameter=name,
        call=Known(event.call) if event.call is not None else Unknown(event.reason or "not recorded"),
        location=_line(replace(event, spot=event.here) if copied and event.here else event),
        origin="copied" if copied else event.origin,
        extent="full" if _covers(event, region) else "partial",
        lineage=event.lineage,
        sources=sources,
        source_origin=event.source_origin,
    )


def _line(event: Event) -> Fact[Location]:
    place = location(event.spot)
    return Known(place) if place is not None else Unknown(NO_LINE)
