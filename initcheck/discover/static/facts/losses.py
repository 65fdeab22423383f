"""What of a model that was read came to nothing: ties that a new module broke, and what was written into one that is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import Tensor, Thing
from initcheck.records.recording import Discarded, Untied
from initcheck.records.source import Location


def untied(machine: Machine, model: Thing, names: Mapping[int, str]) -> Iterator[Untied]:
    """Parameters that were one memory until the module of one of them was replaced."""
    paths = {id(thing): path for path, thing in model.tree()}
    for tie in machine.ties:
        if id(tie.tensor) not in names:
            continue
        for change in machine.replaced:
            own = change.new.attributes.get(tie.name)
            if change.old is not tie.holder or id(change.new) not in paths or not isinstance(own, Tensor) or own is tie.tensor:
                continue
            path = paths[id(change.new)]
            if own.shape is not None and own.shape == tie.tensor.shape and not own.doubt:
                yield Untied(names[id(tie.tensor)], f"{path}.{tie.name}" if path else tie.name, tie.place, change.place)


def replaced(machine: Machine, model: Thing, alive: set[Location]) -> Iterator[Discarded]:
    """Initializing calls whose parameter is gone, because another module stands in the place of its own."""
    present = {id(thing) for _, thing in model.tree()}
    held = {id(tensor) for _, thing in model.tree() for _, tensor in thing.tensors()}
    for change in machine.replaced:
        if id(change.old) in present or id(change.new) not in present or change.old.doubt:
            continue
        for _, thing in change.old.tree():
            for _, tensor in thing.tensors():
                deed = tensor.deeds[-1] if tensor.deeds else None
                if deed is None or not deed.told or deed.call is None or deed.looped or deed.location in alive or id(tensor) in held:
                    continue
                elsewhere = _class(deed.location.function) != _class(change.place.function)
                yield Discarded("replaced", deed.call, deed.location, "", tensor.shape or (), change.place, elsewhere)


def _class(qualname: str) -> str:
    parts = qualname.rpartition(".<locals>.")[2].split(".")
    return parts[-2] if len(parts) > 1 else ""
