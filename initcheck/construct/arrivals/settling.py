"""The end of the construction: where each loaded tensor is now, and whether it still holds the stored bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from initcheck.construct.arrivals.bits import digest
from initcheck.construct.arrivals.watching import Held, Noted
from initcheck.construct.recording.frames import location, storage_key
from initcheck.matching.pairing import paired
from initcheck.matching.renaming import suggested
from initcheck.matching.shapes import why
from initcheck.records.arrival import Arrival, Arrived
from initcheck.records.recording import Recording, Write
from initcheck.records.source import Location
from initcheck.theory.schemes import describe

_STORED = ("loaded", "external", "unknown")
_OTHER_LAYER = "another layer was put in its place after the load"


@dataclass(frozen=True, slots=True)
class Places:
    """The finished model: its tensors by name, their first names by object, its modules by object, and who wrote what."""

    tensors: Mapping[str, torch.Tensor]
    names: Mapping[int, str]
    modules: Mapping[int, str]
    classes: Mapping[str, str]
    writes: Mapping[str, Sequence[Write]]
    parameters: frozenset[str]
    tied: Mapping[str, str]


def settled(model: torch.nn.Module, noted: Sequence[Noted], recording: Recording) -> tuple[Arrival, ...]:
    """The loads that have left something in the model, in their order. A later load of the same tensor counts, not the earlier one."""
    if not noted:
        return ()
    places = _places(model, recording)
    taken: set[str] = set()
    found = []
    for note in reversed(noted):
        arrival = _arrival(note, places, taken)
        if arrival is not None:
            found.append(arrival)
            taken |= {one.name for one in arrival.named}
    return tuple(reversed(found))


def _places(model: torch.nn.Module, recording: Recording) -> Places:
    parameters = dict(model.named_parameters(remove_duplicate=False))
    tensors = {**parameters, **dict(model.named_buffers(remove_duplicate=False))}
    names: dict[int, str] = {}
    for name, tensor in tensors.items():
        names.setdefault(id(tensor), name)
    modules: dict[int, str] = {}
    classes: dict[str, str] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        modules.setdefault(id(module), path)
        classes[path] = type(module).__name__
    writes: dict[str, Sequence[Write]] = {}
    for record in recording.parameters:
        writes |= dict.fromkeys((record.name, *record.tied), record.writes)
    writes |= {one.name: one.writes for one in recording.tensors}
    return Places(tensors, names, modules, classes, writes, frozenset(parameters), _tied(parameters))


def _tied(parameters: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Further names of memory that has a name already, each with the first."""
    seen: dict[object, str] = {}
    tied: dict[str, str] = {}
    for name, tensor in parameters.items():
        key = (storage_key(tensor), tensor.storage_offset(), tuple(tensor.shape)) if tensor.numel() else id(tensor)
        if key in seen:
            tied[name] = seen[key]
        else:
            seen[key] = name
    return tied


def _arrival(note: Noted, places: Places, taken: set[str]) -> Arrival | None:
    module = note.module()
    path = places.modules.get(id(module)) if module is not None else None
    if path is None and not any(_name(held, places) for held in note.held.values()):
        path = _copy(note, places)
        if path is None and (note.held or module is None):
            return None
    start = f"{path}." if path else ""
    tensors = [one for key, held in note.held.items() if (one := _one(key, held, places, start if path is not None else None)) is not None]
    tensors = [one for one in tensors if one.name not in taken]
    if path is None and not tensors:
        return None
    if path is not None:
        known = taken | {one.name for one in tensors}
        tensors += list(_without(note, places, start, known))
    elif note.held and not tensors:
        return None
    arrived = {one.name for one in tensors}
    tensors = [replace(one, tied=first) if (first := places.tied.get(one.name, "")) in arrived else one for one in tensors]
    if note.held and not any(one.kind != "stored" for one in tensors):
        return None  # all of it was loaded anew later
    return _told(note, path or "", tuple(tensors), places)


def _told(note: Noted, path: str, tensors: tuple[Arrived, ...], places: Places) -> Arrival:
    """The record of a load, with the names under which more would fit."""
    start = f"{path}." if path else ""
    missing = {one.name.removeprefix(start): one.shape for one in tensors if one.state == "missing" and one.because != _OTHER_LAYER}
    unexpected = {one.name: one.stored_shape for one in tensors if one.state == "unexpected" and one.stored_shape}
    arrival = Arrival(note.source, note.how, path, note.owner, location(note.spot), tensors, renames=suggested(missing, unexpected))
    if arrival.named or not unexpected or not missing:
        return arrival
    own = {name.removeprefix(start): tuple(tensor.shape) for name, tensor in places.tensors.items() if name.startswith(start)}
    change = paired(own, unexpected).change
    if not change.fits:
        return arrival
    return replace(arrival, stripped=change.strip, added=change.add, renames=())


def _name(held: Held, places: Places) -> str:
    tensor = held.tensor()
    return places.names.get(id(tensor), "") if tensor is not None else ""


def _copy(note: Noted, places: Places) -> str | None:
    """The path of a module that is a copy of the one that was loaded: of its class, with the stored bits under the same names."""
    sample = list(note.held.items())[:16]
    for path, owner in places.classes.items():
        start = f"{path}." if path else ""
        if owner == note.owner and sample and all(_equal(places.tensors.get(start + key), held) for key, held in sample):
            return path
    return None


def _equal(tensor: torch.Tensor | None, held: Held) -> bool:
    return tensor is not None and tensor.dtype == held.dtype and tuple(tensor.shape) == held.shape and digest(tensor) == held.bits


def _one(key: str, held: Held, places: Places, start: str | None) -> Arrived | None:
    """What became of one loaded tensor; None for one that is no longer in the model."""
    name = _name(held, places)
    same = bool(name)
    if not name:
        if start is None or start + key not in places.tensors:
            return None
        name = start + key
    tensor = places.tensors[name]
    kind, shape = str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)
    one = Arrived(
        name,
        "loaded",
        key="" if start is not None and name == start + key else key,
        kind="parameter" if name in places.parameters else "buffer",
        shape=shape,
        stored_shape=held.shape,
        dtype=kind,
        stored_dtype=held.stored_dtype or str(held.dtype).removeprefix("torch."),
    )
    if _equal(tensor, held):
        return one
    writes = places.writes.get(name, ())
    ruling = next((write for write in reversed(writes) if write.extent == "full"), None)
    rests = ruling is None or ruling.origin in _STORED or ruling.source_origin in _STORED[:2] or any(map(_foreign, writes))
    if same and tensor.dtype != held.dtype and rests:
        return replace(one, because=f"cast to {kind} after the load, so the bits were not compared")
    if rests:
        last = writes[-1] if writes else None
        return replace(one, state="changed", because=_changed(held, shape), by=_place(last))
    assert ruling is not None
    if not same:
        return replace(one, state="missing", because=_OTHER_LAYER, by=_place(ruling))
    return replace(one, state="overwritten", by=_place(ruling), call=_scheme(ruling))


def _foreign(write: Write) -> bool:
    return write.origin in ("loaded", "external") or write.source_origin in ("loaded", "external")


def _changed(held: Held, shape: tuple[int, ...]) -> str:
    return "its shape was changed after the load" if shape != held.shape else "it was changed after the load"


def _place(write: Write | None) -> Location | None:
    return write.location.get() if write is not None and write.location.known() else None


def _scheme(write: Write) -> str:
    return describe(write.call.get(), write.lineage) if write.call.known() else ""


def _without(note: Noted, places: Places, start: str, known: set[str]) -> Iterator[Arrived]:
    """The tensors of the model that got nothing, and the stored ones that went nowhere."""
    for key, stored, own in note.mismatched:
        name = start + key
        if name in places.tensors and name not in known:
            yield Arrived(name, "mismatched", kind=_kind(name, places), shape=own, stored_shape=stored, because=why(name, stored, own))
    for key in _fresh(note.missing(), known, start):
        name = start + key
        tensor = places.tensors.get(name)
        if tensor is not None and places.tied.get(name, name) not in known:
            kind = str(tensor.dtype).removeprefix("torch.")
            by = _place(next((write for write in reversed(places.writes.get(name, ())) if write.extent == "full"), None))
            yield Arrived(name, "missing", kind=_kind(name, places), shape=tuple(tensor.shape), dtype=kind, by=by)
    for key in note.unexpected():
        yield Arrived(key, "unexpected", kind="stored", stored_shape=note.stored.get(key, ()))


def _fresh(names: Iterable[str], known: set[str], start: str) -> list[str]:
    return [name for name in names if start + name not in known]


def _kind(name: str, places: Places) -> Literal["parameter", "buffer"]:
    return "parameter" if name in places.parameters else "buffer"
