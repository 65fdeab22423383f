"""Which writes belong to one pass over many parameters (a call of `Module.apply`, a line in a loop), and what code a line stands in."""

from __future__ import annotations

import ast
import dis
import linecache
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TypeAlias

from initcheck.construct.plumbing.applying import Applying
from initcheck.construct.recording.frames import Spot, location
from initcheck.construct.recording.history import Event, Slot

Key: TypeAlias = object
LOOPS = (ast.For, ast.While, ast.AsyncFor, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
LOCAL = ".<locals>."


class Passes:
    """All deliberate writes into parameters, grouped by the pass that they belong to."""

    def __init__(self, slots: Iterable[Slot], applying: Iterable[Applying]) -> None:
        self._all: dict[Key, set[int]] = defaultdict(set)
        self._present: dict[Key, set[int]] = defaultdict(set)
        self._callers = {entry.number: entry.spot for entry in applying}
        for slot in slots:
            for event in slot.events:
                self._note(event, slot.serial, present=True)
            for lost, by in slot.undone:
                self._note(lost, slot.serial, present=False)
                self._note(by, slot.serial, present=False)

    def general(self, lost: Event, by: Event) -> bool:
        """Whether the first write was one of a pass over many parameters and the second a more specific one.

        So is a write by one branch of a function that goes through all modules, children first, after one by another branch of it.
        """
        if (lost.sweep and lost.sweep == by.sweep) or _branches(lost, by):
            return True
        if self._reach(lost, whole=_code(lost) is not _code(by)) > self._reach(by, whole=False):
            return True
        return not by.sweep and not looped(by.spot) and (bool(lost.sweep) or looped(lost.spot))

    def survivors(self, event: Event, kept: Collection[int]) -> bool:
        """Whether something of the pass of this write is still in memory that somebody holds."""
        return any(serial in kept for serial in self._present.get(_pass(event), ()))

    def class_of(self, event: Event) -> str:
        """The class whose code asked for a write: around the call of `apply` if there is one, else around its own line."""
        spot = self._callers.get(event.sweep) or event.spot
        return class_name(spot[0].co_qualname) if spot is not None else ""

    def _note(self, event: Event, serial: int, *, present: bool) -> None:
        if not event.told:
            return
        for key in {_pass(event), _code(event), event.spot}:
            self._all[key].add(serial)
            if present:
                self._present[key].add(serial)

    def _reach(self, event: Event, *, whole: bool) -> int:
        """How many memories the pass wrote; `whole` counts all lines of a function that initializes, a constructor excepted."""
        keys = [_pass(event)]
        if whole and event.spot is not None and not event.sweep and event.spot[0].co_name not in ("__init__", "<module>"):
            keys.append(_code(event))
        return max(1, *(len(self._all.get(key, ())) for key in keys))


def _branches(lost: Event, by: Event) -> bool:
    """Whether both lines stand in one function that asks for the class of a module and has no loop of its own around them."""
    if lost.spot is None or by.spot is None or lost.spot[0] is not by.spot[0] or lost.spot[0].co_name in ("__init__", "<module>"):
        return False
    return "isinstance" in lost.spot[0].co_names and not looped(lost.spot) and not looped(by.spot)


def _pass(event: Event) -> Key:
    return event.sweep or event.spot


def _code(event: Event) -> Key:
    return event.spot[0] if event.spot is not None else None


def class_name(qualname: str) -> str:
    """The innermost class around a function: `Net` for `build.<locals>.Net.__init__.<locals>.init`, empty for none."""
    for segment in reversed(qualname.split(LOCAL)):
        if "." in segment:
            return segment.split(".")[-2]
    return ""


def drops(spot: Spot) -> bool:
    """Whether the value that the instruction makes is thrown away at once: the statement is nothing but this expression."""
    code, offset = spot
    following = False
    for instruction in dis.get_instructions(code):
        if following:
            return instruction.opname == "POP_TOP"
        following = instruction.offset == offset
    return False


def looped(spot: Spot | None) -> bool:
    """Whether the line stands in a loop of its own function, as far as its source can be read."""
    return bool(_around(spot))


def over_children(spot: Spot | None) -> bool:
    """Whether the line stands in a loop over `module.children()` or `named_children()`."""
    return any(words & {"children", "named_children"} for words in _around(spot))


def _around(spot: Spot | None) -> list[frozenset[str]]:
    """For each loop around the line, the attributes that its header names."""
    place = location(spot)
    if place is None:
        return []
    return [words for first, last, words in _loops(place.path, place.function) if first <= place.line <= last]


@lru_cache(maxsize=256)
def _loops(path: str, qualname: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return ()  # a notebook cell with magic, or a file that changed: no loop is known
    name = qualname.rpartition(".")[2]
    scopes = [tree] if name == "<module>" else [node for node in ast.walk(tree) if getattr(node, "name", "") == name]
    loops = [node for scope in scopes for node in ast.walk(scope) if isinstance(node, LOOPS)]
    return tuple((node.lineno, node.end_lineno or node.lineno, _header(node)) for node in loops)


def _header(loop: ast.AST) -> frozenset[str]:
    parts = [loop.iter] if isinstance(loop, (ast.For, ast.AsyncFor)) else [one.iter for one in getattr(loop, "generators", ())]
    return frozenset(node.attr for part in parts for node in ast.walk(part) if isinstance(node, ast.Attribute))
