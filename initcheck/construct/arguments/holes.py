"""What is not known about a call, and what might be filled in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from initcheck.construct.arguments.filling import Filling

EMPTY: Any = inspect.Parameter.empty


@dataclass(slots=True)
class Uses:
    """What the source does with a parameter or with a field of one.

    `kinds` are in the order in which the evidence was met: int, number, list, str, object, sized, called, constructs, tensor, flag.
    """

    kinds: list[str] = field(default_factory=list)
    choices: list[Any] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    divisors: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    fields: dict[str, Uses] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    demanded: set[str] = field(default_factory=set)
    keyed: bool = False
    nullable: bool = False
    length: int = 0
    exact: bool = False
    arity: int = 0
    element: Uses | None = None

    def add(self, kind: str) -> None:
        """Notes a kind, once."""
        if kind not in self.kinds:
            self.kinds.append(kind)

    def choose(self, *values: Any) -> None:
        """Notes values with which it is compared, each once."""
        self.choices.extend(value for value in values if value not in self.choices)

    def part(self, name: str) -> Uses:
        """The uses of a field."""
        return self.fields.setdefault(name, Uses())

    def item(self) -> Uses:
        """The uses of its elements."""
        if self.element is None:
            self.element = Uses()
        return self.element


@dataclass(frozen=True, slots=True)
class Hole:
    """A value that is not known: a parameter of a call, or a field of an object that was itself filled in."""

    key: str
    name: str
    aliases: tuple[str, ...] = ()
    annotation: Any = EMPTY
    default: Any = EMPTY
    uses: Uses = field(default_factory=Uses)
    siblings: Mapping[str, Any] = field(default_factory=dict)
    owner: Any = None
    depth: int = 0
    part: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its text, which is asked for at the end: the fields of an object are known only then."""

    value: Any
    text: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something to fill in: a plain value, or a way of making one inside the attempt."""

    kind: str
    value: Any = None
    text: str = ""
    make: Callable[[Filling, Hole], Node] | None = None

    def shown(self) -> str:
        """The value as source text."""
        return self.text or shown(self.value)


def known_node(value: Any) -> Node:
    """A plain value and its text."""
    return Node(value, partial(shown, value))


def shown(value: Any) -> str:
    """A plain value as source text."""
    if isinstance(value, type) or inspect.isfunction(value):
        return named(value)
    if isinstance(value, torch.nn.Module):
        return f"{named(type(value))}()"
    return repr(value)


def named(thing: Any) -> str:
    """The name of a class or function, with `nn.` for those of torch."""
    name = str(getattr(thing, "__name__", type(thing).__name__))
    return f"nn.{name}" if str(getattr(thing, "__module__", "")).startswith("torch.nn.modules") else name


def kind_of(value: Any) -> str:
    """The kind of a value."""
    for types, kind in _KINDS:
        if isinstance(value, types):
            return kind
    if value is None:
        return "none"
    if isinstance(value, type):
        return "class" if issubclass(value, torch.nn.Module) else "type"
    return "called" if callable(value) else "object"


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "str"),
    ((list, tuple, range), "list"),
    (dict, "mapping"),
    (torch.Tensor, "tensor"),
    (torch.nn.Module, "module"),
)


def plain(value: Any, text: str = "") -> Candidate:
    """A value as it is."""
    return Candidate(kind_of(value), value, text)
