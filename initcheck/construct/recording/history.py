"""What happened to one piece of memory: the writes since it was last overwritten as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias
from weakref import ReferenceType

import torch

from initcheck.construct.recording.frames import Spot
from initcheck.construct.recording.operations import RANDOM
from initcheck.records.recording import InitCall, Origin

Deed: TypeAlias = Literal["empty", "overwrite", "rescale", "scatter", "foreign"]

LINEAGE = 16
"""Longest lineage that is kept: a factory that trains would otherwise grow it without end."""
SOURCES = 8
REPEATS = 64
"""Most rescalings of one region that are kept."""
FOREIGN: tuple[Origin, ...] = ("external", "loaded", "unknown")


class Region(NamedTuple):
    """A part of a storage, in elements of `itemsize` bytes."""

    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    itemsize: int

    @property
    def numel(self) -> int:
        """The number of elements, repeated ones (stride 0) included."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def bounds(self) -> tuple[int, int]:
        """First byte and the byte after the last."""
        if not self.numel:
            return self.offset * self.itemsize, self.offset * self.itemsize
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        return self.offset * self.itemsize, (last + 1) * self.itemsize

    @property
    def dense(self) -> bool:
        """Whether the region fills its bounds."""
        low, high = self.bounds
        return high - low == self.numel * self.itemsize

    def overlaps(self, other: Region) -> bool:
        """Whether both touch a common byte; between two regions with gaps the bounds decide."""
        (low, high), (other_low, other_high) = self.bounds, other.bounds
        return low < other_high and other_low < high

    def covers(self, other: Region) -> bool:
        """Whether the other lies inside, as far as bounds can tell."""
        (low, high), (other_low, other_high) = self.bounds, other.bounds
        return self == other or (self.dense and low <= other_low and other_high <= high)


def region_of(tensor: torch.Tensor) -> Region:
    """The part of its storage that a tensor shows."""
    return Region(tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()), tensor.element_size())


@dataclass(slots=True)
class Event:
    """One write, with all that the stack and its inputs tell about it.

    `call` is None when `reason` says why. `spot` is the line that asked for the values, `here` the line of this very operation.
    `regions` is None for the whole storage. `pure`: the values are those of the sources. `instance` is shared by the operations
    of one run of an initializing function; `opens`: later ones of that run may fold into this event. `told`: somebody outside torch.nn
    asked for it on purpose, in the memory of a parameter; `sweep` numbers the call of `Module.apply` that it happened in (0: none).
    """

    deed: Deed
    call: InitCall | None
    origin: Origin
    spot: Spot | None
    reason: str = ""
    lineage: tuple[InitCall, ...] = ()
    sources: tuple[int, ...] = ()
    pure: bool = False
    instance: tuple[object, ...] | None = None
    regions: list[Region] | None = None
    here: Spot | None = None
    source_origin: Origin = "unknown"
    opens: bool = True
    told: bool = False
    sweep: int = 0


class Home(NamedTuple):
    """A place where a parameter was registered: weakly the module, the name there, the part of the memory, and the line."""

    module: ReferenceType[torch.nn.Module]
    name: str
    region: Region
    spot: Spot | None


@dataclass(slots=True)
class Slot:
    """One storage. `suspect`: some of its elements may never have been written; `created` is the user's line that made it.

    allocated: the allocation that its unwritten elements stem from, in this memory or in one that it was copied from.
    owner: weakly, a parameter that lived here. parents: the memories of parameters that it was computed from when it was made;
    mirrors: by nothing but copies. read: something read it since its last whole write. notable: worth keeping when the memory
    is gone. undone: deliberate whole writes, each with the one that replaced it. homes: where it was registered as a parameter;
    replaced: the line that put another parameter into the place of its own.
    """

    serial: int
    reference: object
    created: Spot | None = None
    suspect: bool = False
    allocated: Event | None = None
    events: list[Event] = field(default_factory=list)
    owner: ReferenceType[torch.Tensor] | None = None
    parents: tuple[int, ...] = ()
    mirrors: bool = False
    read: bool = False
    notable: bool = False
    undone: list[tuple[Event, Event]] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)
    replaced: Spot | None = None

    def gone(self) -> bool:
        """Whether the memory was freed."""
        return bool(self.reference.expired())  # type: ignore[attr-defined]

    def ruling(self) -> Event | None:
        """The write that decides what the memory holds: the last whole one, else the last one."""
        whole = next((event for event in reversed(self.events) if event.regions is None and event.deed in ("overwrite", "foreign")), None)
        return whole or (self.events[-1] if self.events else None)

    def lineage(self) -> tuple[InitCall, ...]:
        """The operations that made the present values, oldest first."""
        return tuple(call for event in self.events for call in event.lineage)[:LINEAGE]

    def random(self) -> bool:
        """Whether the values were drawn."""
        return any(call.name in RANDOM for call in self.lineage())

    def add(self, event: Event) -> None:
        """Append a write, or fold it into the one that the same function began.

        A whole overwrite forgets what was before; so does an overwrite of a region for that region.
        """
        last = self.events[-1] if self.events else None
        if event.deed in ("overwrite", "foreign", "empty") and event.regions is None:
            before = self.ruling()
            if before is not None and before.told and not _continues(before, event) and len(self.undone) < SOURCES:
                self.undone.append((before, event))
            self.events = [event]
        elif last and last.opens and event.instance and last.instance == event.instance:
            _fold(last, event)
        else:
            if event.deed == "overwrite":
                self.events = [old for old in self.events if old.regions is None or old.regions != event.regions]
            alike = sum(old.regions == event.regions for old in self.events) if len(self.events) > REPEATS else 0
            if alike < REPEATS:
                self.events.append(event)


def _continues(before: Event, event: Event) -> bool:
    """Whether two whole writes are one deed: of one run of a function, or of one line that is run again."""
    return before.spot == event.spot or (before.instance is not None and before.instance == event.instance)


def _fold(last: Event, event: Event) -> None:
    last.sources = _few((*last.sources, *event.sources))
    if last.call not in last.lineage:
        last.lineage = (*last.lineage, *event.lineage)[:LINEAGE]
    if last.regions is not None and event.deed == "overwrite":
        last.regions += [region for region in event.regions or () if region not in last.regions]
        last.deed = "overwrite"


def _few(serials: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(serials))[:SOURCES]


def merged(slots: Iterable[Slot]) -> tuple[tuple[InitCall, ...], tuple[int, ...]]:
    """Lineage and sources of values computed from several pieces of memory."""
    lineage: list[InitCall] = []
    sources: list[int] = []
    for slot in slots:
        lineage += slot.lineage()
        sources += [slot.serial, *(serial for event in slot.events for serial in event.sources)]
    return tuple(lineage[:LINEAGE]), _few(sources)
