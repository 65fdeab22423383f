"""Finds the change of the beginning of stored names under which most of them fit a model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from initcheck.matching.shapes import Shape

_TRIED = 12
"""Changes that are counted out in full, the most promising first."""
_PLACES = 16
"""Places in the model in which one ending is looked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """`strip` at the beginning of stored names becomes `add`; both end in a dot, or are empty."""

    strip: str = ""
    add: str = ""
    fits: int = 0

    def of(self, key: str) -> str:
        """The name after the change; a name that does not begin so stays."""
        return self.add + key.removeprefix(self.strip) if key.startswith(self.strip) else key


def best(model: Mapping[str, Shape], stored: Mapping[str, Shape]) -> tuple[Change, tuple[Change, ...]]:
    """The change to make, and the ones between which nothing decides (then none is made).

    A change is made when it gives more tensors a place than the names as they are, and no other change does as well elsewhere.
    """
    plain = _counted(Change(), model, stored)
    found = sorted((_counted(change, model, stored) for change in _candidates(model, stored)), key=lambda change: -change.fits)
    better = [change for change in found if change.fits > plain.fits and _worth(change, stored)]
    if not better:
        return plain, ()
    equal = [change for change in better if change.fits == better[0].fits]
    if len({_filled(change, model, stored) for change in equal}) > 1:
        return plain, tuple(equal)
    return min(equal, key=lambda change: len(change.strip) + len(change.add)), ()


def _worth(change: Change, stored: Mapping[str, Shape]) -> bool:
    """Whether a change may be made unasked: one prefix becomes another only where all names begin so, else it is a guess."""
    if change.strip and change.add and not all(key.startswith(change.strip) for key in stored):
        return False
    return change.fits >= 2 or change.fits == len(stored)


def _filled(change: Change, model: Mapping[str, Shape], stored: Mapping[str, Shape]) -> frozenset[str]:
    """The model's names that stored tensors of the same shape get under a change."""
    return frozenset(name for key, shape in stored.items() if model.get(name := change.of(key)) == shape)


def _counted(change: Change, model: Mapping[str, Shape], stored: Mapping[str, Shape]) -> Change:
    """Its fits: stored tensors that find one of their shape, each place taken once."""
    return Change(change.strip, change.add, len(_filled(change, model, stored)))


def _candidates(model: Mapping[str, Shape], stored: Mapping[str, Shape]) -> list[Change]:
    endings: dict[str, list[str]] = defaultdict(list)
    for name in model:
        parts = name.split(".")
        for index in range(len(parts)):
            places = endings[".".join(parts[index:])]
            if len(places) < _PLACES:
                places.append(".".join(parts[:index]))
    votes: Counter[tuple[str, str]] = Counter()
    for key, shape in stored.items():
        parts = key.split(".")
        for index in range(len(parts)):
            ending = ".".join(parts[index:])
            places = [place for place in endings.get(ending, ()) if model[f"{place}.{ending}" if place else ending] == shape]
            if places:
                start = ".".join(parts[:index])
                votes.update((f"{start}." if start else "", f"{place}." if place else "") for place in places)
                break
    return [Change(strip, add) for (strip, add), _ in votes.most_common(_TRIED) if (strip, add) != ("", "")]
