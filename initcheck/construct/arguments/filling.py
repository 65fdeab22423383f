"""One way of filling in everything that is not known, and the calls that are made with it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.construct.arguments.holes import EMPTY, Candidate, Hole, Node, known_node, named
from initcheck.construct.arguments.reading import Reader
from initcheck.construct.arguments.sources import Sources
from initcheck.construct.arguments.table import listed, normal


@dataclass(frozen=True, slots=True)
class Unknown:
    """The place of an argument that is not known, and the names that its source text mentions."""

    names: tuple[str, ...] = ()


@dataclass(slots=True)
class World:
    """What stays the same from try to try."""

    space: Mapping[str, Any]
    hints: Mapping[str, tuple[Any, ...]]
    sources: Sources = field(default_factory=Sources)

    def __post_init__(self) -> None:
        self.reader = Reader(self.sources)
        self.hinted: dict[str, list[Any]] = {}
        for name, values in self.hints.items():
            self.hinted.setdefault(normal(name), []).extend(values)

    reader: Reader = field(init=False)
    hinted: dict[str, list[Any]] = field(init=False)


@dataclass(slots=True)
class Filled:
    """A hole, what could be filled in, and what was."""

    hole: Hole
    options: list[Candidate]
    chosen: Candidate
    node: Node | None = None


class Filling:
    """One try: the choices that differ from the first ones, and what was asked in the course of it."""

    def __init__(self, world: World, overrides: Mapping[str, Candidate], extras: Mapping[str, tuple[str, ...]]) -> None:
        self.world = world
        self.overrides = overrides
        self.extras = extras
        self.asked: dict[str, Filled] = {}
        self.top: list[Filled] = []
        self.making: list[Any] = []
        self.known: dict[str, list[Any]] = {}

    def fill(self, hole: Hole) -> Node:
        """A value for a hole."""
        from initcheck.construct.arguments.candidates import options

        if hole.key in self.asked and self.asked[hole.key].node is not None:
            node = self.asked[hole.key].node
            assert node is not None
            return node
        found = options(self, hole)
        chosen = self.overrides.get(hole.key, found[0])
        filled = self.asked[hole.key] = Filled(hole, found, chosen)
        if hole.depth == 0:
            self.top.append(filled)
        filled.node = chosen.make(self, hole) if chosen.make else Node(chosen.value, chosen.shown)
        return filled.node

    def guessed(self) -> tuple[str, ...]:
        """What was filled in, as shown to the user; parts of an object are shown inside it."""
        return tuple(f"{each.hole.name}={each.node.text() if each.node else each.chosen.shown()}" for each in self.top)

    def call(
        self,
        function: Any,
        key: str,
        args: Sequence[Node | Unknown] = (),
        kwargs: Mapping[str, Node | Unknown] | None = None,
        depth: int = 0,
    ) -> Node:
        """The result of a call in which holes and missing required parameters are filled in."""
        bound = _Call(self, function, key, depth)
        positional = bound.positional(args)
        keywords = bound.keywords(kwargs or {}, len(args))
        self.making.append(function)
        try:
            value = function(*(node.value for node in positional), **{name: node.value for name, node in keywords.items()})
        finally:
            self.making.pop()
        name = named(function)

        def text() -> str:
            return f"{name}({', '.join([*(node.text() for node in positional), *(f'{k}={v.text()}' for k, v in keywords.items())])})"

        return Node(value, text)


class _Call:
    """The parameters of one call."""

    def __init__(self, filling: Filling, function: Any, key: str, depth: int) -> None:
        self.filling = filling
        self.function = function
        self.key = key
        self.depth = depth
        self.siblings: dict[str, Any] = {}
        self.parameters = parameters_of(function)
        self.missing: list[inspect.Parameter] = []

    def positional(self, args: Sequence[Node | Unknown]) -> list[Node]:
        """The positional arguments."""
        names = [p for p in self.parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        for parameter, argument in zip(names, args, strict=False):
            if isinstance(argument, Node):
                self._given(parameter.name, argument.value)
        found: list[Node] = []
        for index, argument in enumerate(args):
            if isinstance(argument, Node):
                found.append(argument)
            elif index < len(names):
                found.append(self._filled(names[index].name, names[index], argument.names))
            else:
                found.append(self._filled(next(iter(argument.names), f"argument{index + 1}"), None, argument.names))
        only = [p for p in names[len(args) :] if p.kind is p.POSITIONAL_ONLY and p.default is EMPTY]
        found.extend(self._filled(parameter.name, parameter, ()) for parameter in only)
        if not args and (not names or names[0].default is not EMPTY):
            found.extend(self._spread())
        return found

    def _given(self, name: str, value: Any) -> None:
        """Notes an argument that the source gives: the same name elsewhere in the expression likely means the same number."""
        self.siblings[name] = value
        if self.depth == 0 and type(value) in (int, float):
            self.filling.known.setdefault(normal(name), []).append(value)

    def _spread(self) -> list[Node]:
        """The elements of a `*sizes` that the table knows."""
        parameter = next((p for p in self.parameters if takes_a_list(p)), None)
        if parameter is None or self.parameters[0] is not parameter:
            return []
        whole = self._filled(parameter.name, parameter, ()).value
        return [known_node(each) for each in (whole if isinstance(whole, (list, tuple)) else ())]

    def keywords(self, kwargs: Mapping[str, Node | Unknown], given: int) -> dict[str, Node]:
        """The keyword arguments: the given ones, the required ones that are missing, and those that `**kwargs` is read for."""
        found: dict[str, Node] = {name: value for name, value in kwargs.items() if isinstance(value, Node)}
        for name, node in found.items():
            self._given(name, node.value)
        by_name = {p.name: p for p in self.parameters}
        for name, value in kwargs.items():
            if isinstance(value, Unknown):
                found[name] = self._filled(name, by_name.get(name), value.names)
        places = [p for p in self.parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        taken = {p.name for p in places[:given]}
        for parameter in self.parameters:
            required = parameter.default is EMPTY and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if required and parameter.name not in taken and parameter.name not in found:
                found[parameter.name] = self._filled(parameter.name, parameter, ())
        for name in self._further():
            if name not in found and name not in taken:
                found[name] = self._filled(name, by_name.get(name), ())
        return {name: found[name] for name in (*kwargs, *(name for name in found if name not in kwargs))}

    def _further(self) -> list[str]:
        """The keys for which the source reads its `**kwargs`, and the names that a failure asked for."""
        rest = next((p for p in self.parameters if p.kind is p.VAR_KEYWORD), None)
        names: list[str] = []
        if rest is not None:
            uses = self.filling.world.reader.parameter(self.function, rest.name)
            names = [name for name in uses.fields if name in uses.demanded and name not in uses.optional]
        return [*names, *self.filling.extras.get(self.key, ())]

    def _filled(self, name: str, parameter: inspect.Parameter | None, aliases: tuple[str, ...]) -> Node:
        reader = self.filling.world.reader
        if parameter is None:
            rest = next((p.name for p in self.parameters if p.kind is p.VAR_KEYWORD), "")
            whole = reader.parameter(self.function, rest) if rest else None
            uses = whole.part(name) if whole is not None else reader.parameter(self.function, name)
        else:
            uses = reader.parameter(self.function, name)
        node = self.filling.fill(
            Hole(
                key=f"{self.key}.{name}",
                name=name,
                aliases=aliases,
                annotation=parameter.annotation if parameter is not None else EMPTY,
                default=parameter.default if parameter is not None else EMPTY,
                uses=uses,
                siblings=self.siblings,
                owner=self.function,
                depth=self.depth,
            )
        )
        self.siblings[name] = node.value
        return node


def parameters_of(function: Any) -> list[inspect.Parameter]:
    """The parameters of something callable; none for what is written in C without a signature."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return []


def takes_a_list(parameter: inspect.Parameter) -> bool:
    """Whether `*sizes` is a list that the table knows."""
    return parameter.kind is parameter.VAR_POSITIONAL and bool(listed(parameter.name))
