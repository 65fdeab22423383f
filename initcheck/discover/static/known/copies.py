"""Deep copies of what the reader knows."""

from __future__ import annotations

from initcheck.discover.static.known.tensors import copied
from initcheck.discover.static.reader.values import Tensor, Thing, Value
from initcheck.records.source import Location


def cloned(value: Value, memo: dict[int, Value], place: Location) -> Value:
    """A deep copy, made at `place`; its tensors hold the numbers of the original."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, Tensor):
        made = copied(value)
        for deed in made.deeds:
            deed.origin, deed.location = "copied", place
        made.kind, made.trainable, made.derived = value.kind, value.trainable, value.derived
        memo[id(value)] = made
        return made
    if isinstance(value, Thing):
        thing = Thing(value.name, value.created, value.dotted, value.cls, value.module, {}, value.arguments, value.doubt, value.recomputed)
        memo[id(value)] = thing
        thing.attributes = {name: cloned(inner, memo, place) for name, inner in value.attributes.items()}
        return thing
    if isinstance(value, (list, tuple)):
        return type(value)(cloned(inner, memo, place) for inner in value)
    if isinstance(value, dict):
        return {key: cloned(inner, memo, place) for key, inner in value.items()}
    return value
