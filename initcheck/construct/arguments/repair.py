"""What else to fill in, judged by what the user's code raised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from initcheck.construct.arguments.conditions import allowed, keys_at
from initcheck.construct.arguments.filling import Filled, Filling, parameters_of
from initcheck.construct.arguments.holes import Candidate, plain
from initcheck.construct.arguments.objects import stand_in
from initcheck.construct.arguments.place import Place
from initcheck.construct.arguments.stand_in import StandIn, state_of
from initcheck.construct.arguments.table import known

_MOST = 8
"""Repairs that one failure may suggest."""

_WANTED: tuple[tuple[str, str], ...] = (
    (r"'(\w+)' object is not (?:iterable|subscriptable|reversible)|cannot unpack non-iterable (\w+)", "list"),
    (r"object of type '(\w+)' has no len|'(\w+)' object does not support item", "list"),
    (r"can only concatenate (?:list|tuple) \(not \"(\w+)\"\)", "list"),
    (r"'(\w+)' object is not callable", "constructs"),
    (r"'(\w+)' object cannot be interpreted as an integer", "int"),
    (r"must be (?:int|an integer|SymInt|a? ?number|tuple of ints|float)[^,]*,? (?:but found element of type |but got |not )(\w+)", "int"),
    (r"not supported between instances of '(\w+)'|unsupported operand type\(s\) for [^:]*: '(\w+)'", "number"),
    (r"int\(\) argument must be .*not '(\w+)'|got an unexpected type (\w+)|empty\(\) received an invalid combination", "int"),
    (r"must be (?:a )?str(?:ing)?,? not '?(\w+)|attribute name must be string|expected str", "str"),
    (r"list indices must be integers or slices, not (\w+)|tuple indices must be", "int"),
    (r"expected Tensor as .*but got (\w+)|must be Tensor, not (\w+)", "tensor"),
    (r"(\w+) is not a Module subclass|must be .*[Mm]odule,? not (\w+)", "module"),
)
_KINDS: Mapping[str, tuple[str, ...]] = {
    "list": ("list", "vocabulary"),
    "constructs": ("class", "called", "module", "type"),
    "int": ("int",),
    "number": ("int", "float"),
    "str": ("str",),
    "tensor": ("tensor",),
    "module": ("module",),
    "object": ("object", "vocabulary", "module", "class", "tensor"),
}


@dataclass(frozen=True, slots=True)
class Repair:
    """Choices to make differently, and names to pass or to add that nobody asked for so far."""

    overrides: Mapping[str, Candidate] = field(default_factory=dict)
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def repairs(filling: Filling, error: BaseException, place: Place) -> list[Repair]:
    """Repairs, the most promising first."""
    suspects = _suspects(filling, error, place)
    found: list[Repair] = []
    for way in (_missing, _conditions, _keys, _kinds, _sizes, _smaller, _attributes, _others):
        for repair in way(filling, error, place, suspects):
            if repair not in found:
                found.append(repair)
        if len(found) >= _MOST:
            break
    return found[: _MOST + 4]


def _suspects(filling: Filling, error: BaseException, place: Place) -> list[Filled]:
    """The filled holes, those first that the failing line names or whose value it holds."""
    found: list[Filled] = []
    asked = list(filling.asked.values())
    text = str(error)
    for step in place.steps[:4]:
        names = step.names()
        values = step.values()
        found.extend(each for each in reversed(asked) if each.hole.name in names)
        found.extend(each for each in reversed(asked) if each.node is not None and any(_same(each.node.value, value) for value in values))
    found.extend(each for each in asked if re.search(rf"\b{re.escape(each.hole.name)}\b", text))
    found.extend(reversed(asked))
    unique: dict[str, Filled] = {}
    for each in found:
        unique.setdefault(each.hole.key, each)
    return list(unique.values())


def _same(one: Any, other: Any) -> bool:
    return one is other and (not isinstance(one, (int, float, bool)) or abs(one) > 2)


def _set(each: Filled, candidate: Candidate) -> Repair:
    return Repair({each.hole.key: candidate})


def _missing(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """An argument or a key that `**kwargs` should have held, or a field that a configuration class lacks."""
    text = str(error)
    match = re.search(r"has no attribute '(\w+)'", text)
    if match and isinstance(error, AttributeError):
        for each in suspects:
            value = each.node.value if each.node is not None else None
            if value is not None and value is error.obj and not isinstance(value, (StandIn, int, float, str, list, tuple)):
                yield Repair(extras={f"{each.hole.key}.*": (match[1],)})
    names = re.findall(r"'(\w+)'", text) if "required positional argument" in text or "required keyword-only" in text else []
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        names = [error.args[0]]
    made = filling.making[-1] if filling.making else None
    for key in _calls(filling) if names else ():
        yield Repair(extras={key: tuple(names)})
    del made, place


def _calls(filling: Filling) -> list[str]:
    """The keys of the calls that take any keyword."""
    keys: dict[str, None] = {}
    for each in filling.asked.values():
        if any(p.kind is p.VAR_KEYWORD for p in parameters_of(each.hole.owner)):
            keys[each.hole.key.rsplit(".", 1)[0]] = None
    return list(keys)


def _conditions(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """Values under which the assertion holds, or the condition above the `raise` does not."""
    for step in place.steps[:3]:
        for each in suspects:
            if each.node is None or not (each.hole.name in step.frame.f_locals or each.hole.name in step.names()):
                continue
            value = each.node.value
            if not isinstance(value, (int, float, str, list, tuple)) and value is not None:
                continue
            yield from (_set(each, plain(other)) for other in allowed(step, each.hole.name, value, _universe(each), filling.world.sources))
    del error


def _universe(each: Filled) -> list[Any]:
    """Values that may be tried for a hole, plausible ones first."""
    own = [option.value for option in each.options if option.make is None]
    numbers = [1, 2, 4, 8, 3, 16, 32, 64, 128, 5, 6, 7, 9, 10, 12, 18, 34, 22, 28, 40, 50, 100, 121, 256, 512, 0, 224, 16.0, 0.5]
    chosen = each.chosen.value
    return [*each.hole.uses.choices, *own, *(numbers if isinstance(chosen, (int, float)) else [])]


def _keys(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """Another key of the table that did not hold the one that was filled in, and other values with which the source compares."""
    for step in place.steps[:2]:
        keys = keys_at(step) if isinstance(error, LookupError) else []
        for each in suspects:
            if each.node is not None and error.args and each.node.value == error.args[0]:
                yield from (_set(each, plain(key)) for key in keys[:6])
    quoted = [word for pair in re.findall(r"'([^']*)'|\"([^\"]*)\"", str(error)) for word in pair if word]
    for each in suspects:
        if isinstance(each.chosen.value, str):
            yield from (_set(each, plain(word)) for word in quoted if word != each.chosen.value and len(quoted) > 1)
        if each.hole.uses.choices and each.node is not None and each.chosen.make is None:
            others = [choice for choice in each.hole.uses.choices if choice != each.chosen.value]
            if isinstance(error, (KeyError, UnboundLocalError, NotImplementedError, ValueError, NameError, AttributeError)):
                yield from (_set(each, plain(choice)) for choice in others[:5])
    del filling


def _kinds(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """A value of the kind that the message asks for, in the place of one whose type it names."""
    if not isinstance(error, (TypeError, AttributeError, ValueError)):
        return
    text = str(error)
    for pattern, wanted in _WANTED:
        match = re.search(pattern, text)
        if match is None:
            continue
        type_name = next((group for group in match.groups() if group), "") if match.groups() else ""
        for each in _typed(suspects, type_name)[:2]:
            kinds = _KINDS[wanted]
            if wanted == "list" and isinstance(each.chosen.value, str):
                continue
            options = [option for option in each.options if option.kind in kinds]
            if wanted == "list":
                options += _listed(each)
            yield from (_set(each, option) for option in options[:5])
    match = re.search(r"'(int|float|str|list|tuple|NoneType|bool)' object has no attribute '(\w+)'", text)
    if match:
        for each in _typed(suspects, match[1])[:2]:
            yield from (_set(each, option) for option in each.options if option.kind in ("module", "tensor", "class"))
            each.hole.uses.demanded.add(match[2])
            yield _set(each, Candidate("object", None, "{...}", stand_in))
    del filling, place


def _typed(suspects: list[Filled], name: str) -> list[Filled]:
    """The suspects whose value has a type of that name; all of them when none has."""
    found = [each for each in suspects if each.node is not None and type(each.node.value).__name__ == name]
    return found or suspects[:2]


def _listed(each: Filled) -> list[Candidate]:
    value = each.chosen.value if isinstance(each.chosen.value, int) and not isinstance(each.chosen.value, bool) else 64
    values = [item for item in known(each.hole.name)[1] if isinstance(item, int)] or [value]
    first = values[0]
    return [plain([first] * 2), plain((first,) * 2), plain([first] * 4), plain([first]), plain([first] * 3), plain(["a", "b", "c"])]


def _sizes(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """Sizes that should divide one another, be equal or be longer."""
    text = str(error)
    if re.search(r"divisib|multiple of|evenly", text):
        for each in suspects:
            role = known(each.hole.name)[0]
            if isinstance(each.chosen.value, int) and (role in ("heads", "stride", "few", "reduction") or "divis" in text):
                yield from (_set(each, plain(value)) for value in (8, 4, 2, 1) if role in ("heads", "stride", "few", "reduction"))
        for each in suspects:
            if isinstance(each.chosen.value, int) and known(each.hole.name)[0] in (
                "width",
                "features",
                "block_in",
                "block_out",
                "in_channels",
            ):
                yield from (_set(each, plain(value)) for value in (64, 128, 192, 96, 120, 240, 256))
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if isinstance(error, (RuntimeError, ValueError)) and len(numbers) >= 2:
        for each in suspects:
            if isinstance(each.chosen.value, int) and each.chosen.value in numbers and not isinstance(each.chosen.value, bool):
                yield from (_set(each, plain(other)) for other in dict.fromkeys(numbers) if other not in (each.chosen.value, 0))
    if isinstance(error, IndexError):
        for each in suspects:
            if isinstance(each.chosen.value, (list, tuple)) and each.chosen.value:
                kind = type(each.chosen.value)
                yield from (_set(each, plain(kind([*each.chosen.value, *each.chosen.value[-1:] * more]))) for more in (1, 2, 3))
    del filling, place


def _smaller(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """Half the largest sizes, where the model does not fit into memory; larger images, where nothing was left of one."""
    text = str(error)
    if isinstance(error, MemoryError) or re.search(r"can't allocate|out of memory|alloc|parameters$|overflow|too large", text):
        sizes = [each for each in suspects if isinstance(each.chosen.value, int) and each.chosen.value > 8]
        for each in sorted(sizes, key=lambda item: -item.chosen.value)[:3]:
            yield _set(each, plain(max(8, each.chosen.value // 8)))
    if re.search(r"[Oo]utput size is too small|Kernel size can't be greater|size zero|non-zero|non-empty|negative", text):
        for each in suspects:
            if known(each.hole.name)[0] in ("image", "shape", "length") or "shape" in each.hole.name:
                value = each.chosen.value
                if isinstance(value, (tuple, list)):
                    yield from (_set(each, plain(type(value)([*value[:-2], size, size]))) for size in (84, 224))
                elif isinstance(value, int):
                    yield from (_set(each, plain(size)) for size in (64, 128, 224, 256))
    del filling, place


def _attributes(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """Something else for a stand-in that was used as a number, a list or a layer."""
    if "StandIn" in str(error) or "Vocabulary" in str(error):
        for each in suspects:
            if each.node is not None and isinstance(each.node.value, StandIn) and state_of(each.node.value).name == each.hole.name:
                yield from (_set(each, option) for option in each.options if option is not each.chosen and option.kind != each.chosen.kind)
    del filling, place


def _others(filling: Filling, error: BaseException, place: Place, suspects: list[Filled]) -> Iterator[Repair]:
    """The next option of each suspect."""
    for each in suspects[:6]:
        later = [option for option in each.options if (option.kind, option.shown()) != (each.chosen.kind, each.chosen.shown())]
        same = [option for option in later if option.kind == each.chosen.kind]
        yield from (_set(each, option) for option in (same or later)[:2])
    del filling, error, place
