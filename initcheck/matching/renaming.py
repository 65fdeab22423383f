"""Changes of names that the user asks for, and those that shapes and order suggest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from initcheck.errors import UsageError
from initcheck.matching.shapes import Shape
from initcheck.records.arrival import Rename

SHOWN = 6
"""Most suggestions that are made; more would be a list of all names."""
_NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")


def parsed(texts: Sequence[str]) -> tuple[Rename, ...]:
    """`OLD=NEW` pairs; a `*` stands for one part of a name, and takes the same place in NEW.

    Raises:
        UsageError: for a text without an equals sign, or with another number of stars on its sides.
    """
    found = []
    for text in texts:
        old, sign, new = text.partition("=")
        if not sign or (not old and not new):
            raise UsageError(f"--rename needs OLD=NEW, got {text!r}", "--rename classifier=head")
        if old.count("*") != new.count("*"):
            raise UsageError(f"--rename {text}: both sides need the same number of stars", "--rename 'layers.*.fc=blocks.*.mlp'")
        found.append(Rename(old.strip("."), new.strip(".")))
    return tuple(found)


def renamed(key: str, renames: Iterable[Rename]) -> str:
    """The name after the first change that is about it: about its whole first parts, not about a piece of one."""
    for rename in renames:
        pattern = ".".join("([^.]+)" if part == "*" else re.escape(part) for part in rename.old.split(".")) if rename.old else ""
        match = re.match(rf"{pattern}(\.|$)" if pattern else "", key)
        if match is None:
            continue
        stars = iter(match.groups()[:-1] if pattern else ())
        new = ".".join(next(stars) if part == "*" else part for part in rename.new.split(".")) if rename.new else ""
        rest = key[match.end() :] if pattern else key
        return f"{new}.{rest}".strip(".") if rest else new
    return key


def suggested(missing: Mapping[str, Shape], unexpected: Mapping[str, Shape]) -> tuple[Rename, ...]:
    """The changes under which tensors without a place would fit into places without a tensor, where only one way fits."""
    found = _subtrees(missing, unexpected)
    left_missing = {name: shape for name, shape in missing.items() if not any(_below(name, rename.new) for rename in found)}
    left = {name: shape for name, shape in unexpected.items() if not any(_below(name, rename.old) for rename in found)}
    found += _in_order(left_missing, left)
    return tuple(_folded(found)[:SHOWN])


def _below(name: str, start: str) -> bool:
    return not start or name == start or name.startswith(f"{start}.")


def _subtrees(missing: Mapping[str, Shape], unexpected: Mapping[str, Shape]) -> list[Rename]:
    """Groups below one name that hold the same leaves of the same shapes, the largest first, each told only if it is the only one."""
    places, sources = _groups(missing), _groups(unexpected)
    taken_places: set[str] = set()
    taken: set[str] = set()
    found: list[Rename] = []
    for old in sorted(sources, key=lambda name: (-len(sources[name]), name)):
        fits = [new for new, leaves in places.items() if leaves == sources[old]]
        twins = [other for other, leaves in sources.items() if leaves == sources[old]]
        if len(fits) != 1 or len(twins) != 1 or old == fits[0]:
            continue
        if any(_below(old, other) for other in taken) or any(_below(fits[0], other) for other in taken_places):
            continue
        found.append(Rename(old, fits[0], len(sources[old])))
        taken.add(old)
        taken_places.add(fits[0])
    return found


def _groups(names: Mapping[str, Shape]) -> dict[str, dict[str, Shape]]:
    """What lies below each beginning of a name."""
    groups: dict[str, dict[str, Shape]] = defaultdict(dict)
    for name, shape in names.items():
        parts = name.split(".")
        for index in range(1, len(parts)):
            groups[".".join(parts[:index])][".".join(parts[index:])] = shape
    return groups


def _in_order(missing: Mapping[str, Shape], unexpected: Mapping[str, Shape]) -> list[Rename]:
    """Other names for the same layers: as many tensors with the same shapes in the same order, told layer by layer."""
    if len(missing) < 2 or list(missing.values()) != list(unexpected.values()):
        return []
    pairs: dict[tuple[str, str], int] = {}
    for old, new in zip(unexpected, missing, strict=True):
        (before, _, leaf), (after, _, other) = old.rpartition("."), new.rpartition(".")
        pair = (before, after) if leaf == other and before and after else (old, new)
        pairs[pair] = pairs.get(pair, 0) + 1
    return [Rename(old, new, count) for (old, new), count in pairs.items()]


def _folded(renames: Sequence[Rename]) -> list[Rename]:
    """Changes that differ in nothing but the same number on both sides, as one with a star."""
    groups: dict[tuple[str, str], list[Rename]] = defaultdict(list)
    for one in renames:
        alike = _NUMBER.findall(one.old) == _NUMBER.findall(one.new)
        key = (_NUMBER.sub("*", one.old), _NUMBER.sub("*", one.new)) if alike else (one.old, one.new)
        groups[key].append(one)
    return [group[0] if len(group) == 1 else Rename(old, new, sum(one.tensors for one in group)) for (old, new), group in groups.items()]
