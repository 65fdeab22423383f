"""What was initialized in vain: deliberate writes that were replaced, that went into a copy, or that met nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from initcheck.construct.plumbing.applying import Applying, spoken
from initcheck.construct.plumbing.holdings import recomputed
from initcheck.construct.plumbing.passes import Passes, class_name, drops, looped, over_children
from initcheck.construct.plumbing.registrations import Moved
from initcheck.construct.plumbing.ties import untied
from initcheck.construct.recording.frames import Kind, kind_of, location, storage_key
from initcheck.construct.recording.history import Event, Slot, region_of
from initcheck.construct.recording.operations import DROPPABLE, RANDOM
from initcheck.construct.recording.provenance import Watched, write_of
from initcheck.records.recording import Applied, Discarded, ParameterRecord, Recording, Undone
from initcheck.records.source import Location


@dataclass(frozen=True, slots=True)
class Site:
    """The model as the search for losses sees it: its parameters' memory, and all histories."""

    model: torch.nn.Module
    watched: Watched
    records: Mapping[int, ParameterRecord]
    """Serial number of a memory -> the record of the first parameter in it."""
    kept: frozenset[int]
    """Serial numbers of the memory of parameters and of whatever else the modules hold."""
    used: frozenset[int]
    """Serial numbers of memory whose values went into memory that is still alive."""
    passes: Passes


def in_vain(
    model: torch.nn.Module, recording: Recording, watched: Watched, applying: Sequence[Applying], moved: Sequence[Moved]
) -> Recording:
    """The same recording with what came to nothing."""
    site = _site(model, recording, watched, applying)
    return dataclasses.replace(
        recording,
        undone=tuple(_undone(site)),
        discarded=tuple(dict.fromkeys(_discarded(site))),
        applied=tuple(_applied(model, applying)),
        untied=tuple(untied(model, watched.slots.values(), moved)),
        shallow=tuple(_shallow(site)),
    )


def _site(model: torch.nn.Module, recording: Recording, watched: Watched, applying: Sequence[Applying]) -> Site:
    slots = watched.slots
    named = {name: record for record in recording.parameters for name in (record.name, *record.tied)}
    records: dict[int, ParameterRecord] = {}
    for name, parameter in model.named_parameters():
        slot = slots.get(storage_key(parameter) or 0)
        record = named.get(name)
        if slot is not None and record is not None:
            records.setdefault(slot.serial, record)
    bases = recomputed(model)
    alive = [slot for key, slot in slots.items() if not slot.gone() and key not in bases]
    used = frozenset(serial for slot in alive for event in slot.events for serial in event.sources)
    return Site(model, watched, records, frozenset(slot.serial for slot in alive), used, Passes(slots.values(), applying))


def _shallow(site: Site) -> Iterator[Location]:
    mine = [slot for slot in site.watched.slots.values() if slot.serial in site.records]
    for spot in dict.fromkeys(event.spot for slot in mine for event in slot.events if event.told):
        place = location(spot) if spot is not None and kind_of(spot[0]) is Kind.USER and over_children(spot) else None
        if place is not None:
            yield place


def _undone(site: Site) -> Iterator[Undone]:
    older = _older(site)
    classes = {base.__name__: base for module in site.model.modules() for base in type(module).__mro__}
    for name, parameter in site.model.named_parameters():
        slot = site.watched.slots.get(storage_key(parameter) or 0)
        if slot is None or slot.serial in site.used or site.records[slot.serial].name != name:
            continue
        whole = region_of(parameter)
        for lost, by in (*slot.undone, *_swapped(older.get(id(parameter), ()), slot)):
            if lost.origin != "user":
                continue
            first, second = site.passes.class_of(lost), site.passes.class_of(by)
            yield Undone(
                name,
                lost=write_of(name, lost, whole, site.watched),
                by=write_of(name, by, whole, site.watched),
                refined=site.passes.general(lost, by),
                inherited=first != second and first in classes and second in classes and issubclass(classes[second], classes[first]),
                elsewhere=first not in ("", second, type(site.model).__name__),
            )


def _older(site: Site) -> dict[int, list[Slot]]:
    """The identity of a parameter -> the memories written on purpose that were its own at some time."""
    found: dict[int, list[Slot]] = {}
    for slot in site.watched.slots.values():
        owner = slot.owner() if slot.owner is not None and slot.notable else None
        if owner is not None and slot.serial not in site.used:
            found.setdefault(id(owner), []).append(slot)
    return found


def _swapped(older: Iterable[Slot], slot: Slot) -> Iterator[tuple[Event, Event]]:
    """What was written into the memory that a parameter had before it was given this one (`p.data = ...`)."""
    by = slot.ruling()
    for old in older:
        lost = old.ruling()
        if old is not slot and lost is not None and by is not None and lost.told:
            yield lost, by


def _discarded(site: Site) -> Iterator[Discarded]:
    for slot in site.watched.slots.values():
        event = slot.ruling()
        if event is None or not slot.notable or slot.serial in site.used or slot.serial in site.records or event.origin != "user":
            continue
        meant = next((site.records[key] for key in slot.parents if key in site.records), None)
        found = (_copied(site, slot, event, meant) or _dropped(site, slot, event, meant)) if meant is not None else None
        found = found or _replaced(site, slot, event)
        if found is not None:
            yield found


def _copied(site: Site, slot: Slot, event: Event, meant: ParameterRecord) -> Discarded | None:
    """An initializer that wrote into something computed from a parameter."""
    drawn = event.call is not None and event.call.name in RANDOM and not event.sources
    if slot.read or slot.owner is not None or not (event.instance is not None or drawn) or event.call is None:
        return None
    if (slot.serial in site.kept and not slot.mirrors) or site.passes.survivors(event, site.kept - {slot.serial}):
        return None
    place = location(event.spot)
    return Discarded("copy" if slot.mirrors else "computed", event.call, place, meant.name, meant.shape) if place is not None else None


def _dropped(site: Site, slot: Slot, event: Event, meant: ParameterRecord) -> Discarded | None:
    """The result of an operation on a parameter that the very statement threw away."""
    step = event.lineage[-1] if event.lineage else event.call
    if step is None or step.name not in DROPPABLE or slot.read or slot.serial in site.kept:
        return None
    place = location(event.here)
    if place is None or event.here is None or not drops(event.here):
        return None
    return Discarded("dropped", step, place, meant.name, meant.shape)


def _replaced(site: Site, slot: Slot, event: Event) -> Discarded | None:
    """What was written into a parameter whose place went to another one."""
    place, by = location(event.spot), location(slot.replaced)
    if not event.told or by is None or place is None or event.call is None or slot.serial in site.kept:
        return None
    if site.passes.survivors(event, site.kept) or looped(event.spot):
        return None
    shape = slot.homes[0].region.shape if slot.homes else ()
    elsewhere = site.passes.class_of(event) != class_name(by.function)
    return Discarded("replaced", event.call, place, "", shape, by, elsewhere)


def _applied(model: torch.nn.Module, applying: Iterable[Applying]) -> Iterator[Applied]:
    paths = {id(module): path for path, module in model.named_modules()}
    for entry in applying:
        module = entry.module()
        if entry.deeds or module is None or id(module) not in paths:
            continue
        place = location(entry.spot)
        initializers, tests = spoken(entry.function)
        owners = sorted({type(inner).__name__ for inner in module.modules() if _has_weights(inner)})
        if place is None or not initializers or not owners:
            continue
        name = getattr(entry.function, "__qualname__", type(entry.function).__name__)
        yield Applied(name, place, paths[id(module)], initializers, tests, tuple(owners))


def _has_weights(module: torch.nn.Module) -> bool:
    return any(parameter.dim() > 1 for parameter in module.parameters(recurse=False))
