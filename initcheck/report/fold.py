"""Long lists of parameter names made short: `body.{2,4..16}.weight`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_NUMBERS = re.compile(r"(?<!\d)(0|[1-9]\d*)(?!\d)")
_UNSAFE = re.compile(r"[{},\s]")


@dataclass(frozen=True, slots=True)
class _Group:
    """Names with the same words around their numbers; every combination of the numbers is meant."""

    words: tuple[str, ...]
    numbers: tuple[tuple[int, ...], ...]


def fold(names: Iterable[str], limit: int = 0) -> str:
    """The names with their numbers gathered into braces, groups in order of first appearance, comma-separated.

    A range with a step shows its first two numbers: `{2,4..16}`. Nothing is lost: the braces expand to exactly these names.
    With a `limit`, groups after that many are only counted.
    """
    groups = _leaves(_spell(group) for group in _groups(names))
    if limit and len(groups) > limit:
        return f"{', '.join(groups[:limit])} and {len(groups) - limit} more"
    return ", ".join(groups)


def _groups(names: Iterable[str]) -> list[_Group]:
    groups = [_parse(name) for name in dict.fromkeys(names)]
    widest = max((len(group.numbers) for group in groups), default=0)
    for position in range(widest):
        groups = _merge(groups, position)
    return groups


def _parse(name: str) -> _Group:
    if _UNSAFE.search(name):
        return _Group((name,), ())
    parts = _NUMBERS.split(name)
    return _Group(tuple(parts[::2]), tuple((int(number),) for number in parts[1::2]))


def _merge(groups: Sequence[_Group], position: int) -> list[_Group]:
    """Joins the groups that differ in nothing but the numbers at one position."""
    merged: dict[tuple[object, ...], _Group] = {}
    for group in groups:
        if position >= len(group.numbers):
            merged[(group.words, group.numbers)] = group
            continue
        key = (group.words, group.numbers[:position], None, group.numbers[position + 1 :])
        before = merged.get(key)
        numbers = group.numbers[position]
        if before is not None:
            numbers = tuple(sorted({*before.numbers[position], *numbers}))
        merged[key] = _Group(group.words, (*group.numbers[:position], numbers, *group.numbers[position + 1 :]))
    return list(merged.values())


def _spell(group: _Group) -> str:
    pieces = [group.words[0]]
    for numbers, word in zip(group.numbers, group.words[1:], strict=True):
        pieces += [_braces(numbers), word]
    return "".join(pieces)


def _braces(numbers: tuple[int, ...]) -> str:
    if len(numbers) == 1:
        return str(numbers[0])
    step = numbers[1] - numbers[0]
    if len(numbers) > 2 and all(after - before == step for before, after in pairwise(numbers)):
        start = f"{numbers[0]}" if step == 1 else f"{numbers[0]},{numbers[1]}"
        # three numbers with a step are shorter and clearer when written out
        return f"{{{','.join(map(str, numbers))}}}" if len(numbers) == 3 and step != 1 else f"{{{start}..{numbers[-1]}}}"
    runs = [f"{run[0]}..{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in _runs(numbers)]
    if len(runs) == 2 and "," not in runs[0] and ".." not in runs[0] and ".." in runs[1]:
        # `0,4..8` would read as a range with step 4
        runs.reverse()
    return f"{{{','.join(runs)}}}"


def _runs(numbers: tuple[int, ...]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _leaves(spelled: Iterable[str]) -> list[str]:
    """Joins `head.weight` and `head.bias` into `head.{weight,bias}`."""
    owners: dict[str, list[str]] = {}
    order: list[tuple[str, str]] = []
    for name in spelled:
        owner, _, leaf = name.rpartition(".")
        if not owner or _UNSAFE.search(leaf) or owner.count("{") != owner.count("}"):
            order.append(("", name))
            continue
        if owner not in owners:
            order.append((owner, leaf))
        owners.setdefault(owner, []).append(leaf)
    joined = []
    for owner, leaf in order:
        leaves = owners.get(owner, []) if owner else []
        tail = f"{{{','.join(leaves)}}}" if len(leaves) > 1 else leaf
        joined.append(f"{owner}.{tail}" if owner else leaf)
    return joined
