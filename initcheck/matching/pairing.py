"""The whole pairing: what the user renames, what all names have in front, names of old, and what then has the same name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from initcheck.matching.prefixes import Change, best
from initcheck.matching.renaming import renamed, suggested
from initcheck.matching.shapes import Shape
from initcheck.records.arrival import Rename

_LEAVES_OF_OLD = {"gamma": "weight", "beta": "bias"}
"""What the parameters of a normalization were called in checkpoints that came from TensorFlow."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """`pairs`: the model's name -> the stored one; `mismatched` the same where the shapes differ; the rest by their own names."""

    pairs: Mapping[str, str]
    mismatched: Mapping[str, str]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    change: Change
    renames: tuple[Rename, ...] = ()
    undecided: tuple[Change, ...] = ()


def paired(model: Mapping[str, Shape], stored: Mapping[str, Shape], renames: Iterable[Rename] = ()) -> Pairing:
    """Finds a place for each stored tensor, both sides in their own order. Nothing is guessed: what only would fit is suggested."""
    asked = tuple(renames)
    names = {key: renamed(key, asked) for key in stored}
    change, undecided = best(model, {names[key]: shape for key, shape in stored.items()})
    pairs: dict[str, str] = {}
    mismatched: dict[str, str] = {}
    unexpected = []
    for key, shape in stored.items():
        name = _place(names[key], change, model)
        if name is None or name in pairs:
            unexpected.append(key)
        elif model[name] == shape:
            pairs[name] = key
            mismatched.pop(name, None)
        elif name not in mismatched:
            mismatched[name] = key
        else:
            unexpected.append(key)
    missing = tuple(name for name in model if name not in pairs and name not in mismatched)
    ideas = suggested({name: model[name] for name in missing}, {key: stored[key] for key in unexpected})
    return Pairing(pairs, mismatched, missing, tuple(unexpected), change, ideas, undecided)


def _place(key: str, change: Change, model: Mapping[str, Shape]) -> str | None:
    """The model's name for a stored one."""
    for name in dict.fromkeys((change.of(key), key)):
        if name in model:
            return name
        start, _, leaf = name.rpartition(".")
        older = f"{start}.{_LEAVES_OF_OLD.get(leaf, leaf)}" if start else name
        if older in model:
            return older
    return None
