"""What a reader of a file knows of a value: Python's own numbers, texts and lists where it is certain, these classes for the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from initcheck.records.recording import InitCall, Origin
from initcheck.records.source import Location

LONGEST = 20_000
"""Elements of the longest sequence that is worked out."""

Value: TypeAlias = Any
"""A number, a text, None, a tuple, list or dictionary of values, or one of the classes below."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that the text does not give, and why; `number` says that it is a number at least, `rest` any number of elements of a list."""

    reason: str
    number: bool = False
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Dotted:
    """Something that another module defines: `torch.nn.Linear`."""

    name: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A tensor that the forward pass computes from its input: the result of one operation of the network."""

    op: int


@dataclass(slots=True)
class Deed:
    """One write into a tensor. `call` is None when `reason` says why; `draw` numbers the draw, so that copies of it are known as such.

    told: somebody asked for it on purpose, in a parameter. sweep: the number of the call of `Module.apply` that it happened in.
    """

    call: InitCall | None
    location: Location
    origin: Origin
    lineage: tuple[InitCall, ...] = ()
    partial: bool = False
    reason: str = ""
    draw: int = 0
    sweep: int = 0
    looped: bool = False
    told: bool = False


@dataclass(slots=True, eq=False)
class Tensor:
    """A tensor that the model holds.

    `shape` is None where a size is not known; `doubt` says why its values may be others after all. `parts` are the rows
    that partial writes reached, None for other parts.
    """

    shape: tuple[int, ...] | None
    created: Location
    deeds: list[Deed] = field(default_factory=list)
    kind: Literal["tensor", "parameter", "buffer"] = "tensor"
    trainable: bool = False
    doubt: str = ""
    allocated: bool = False
    derived: bool = False
    parts: list[tuple[int, int] | None] = field(default_factory=list)
    undone: list[tuple[Deed, Deed]] = field(default_factory=list)

    def write(self, deed: Deed) -> None:
        """Adds a write; a whole one replaces what was there."""
        if not deed.partial:
            ruling = next((one for one in reversed(self.deeds) if not one.partial), None)
            if ruling is not None and ruling.told and ruling.location != deed.location:
                self.undone.append((ruling, deed))
            self.deeds, self.parts = [], []
        self.deeds.append(deed)


@dataclass(frozen=True, slots=True)
class View:
    """A part or another shape of a tensor.

    `whole`: all of its elements; `turned`: the transposed matrix; `computed`: a fresh result;
    `rows`: the first row of a part and the one after its last, where that is what it is.
    """

    base: Tensor
    whole: bool = True
    turned: bool = False
    computed: bool = False
    rows: tuple[int, int] | None = None


@dataclass(slots=True, eq=False)
class Thing:
    """An object of a class: a module of torch (`dotted`), one of the file (`cls`), or a plain object.

    `attributes` are in the order of assignment; `doubt` says why there may be more of them, or others. `arguments` are those of a
    module of torch.
    """

    name: str
    created: Location
    dotted: str = ""
    cls: Class | None = None
    module: bool = True
    attributes: dict[str, Value] = field(default_factory=dict)
    arguments: dict[str, Value] = field(default_factory=dict)
    doubt: str = ""
    recomputed: frozenset[str] = frozenset()

    def children(self) -> Iterator[tuple[str, Thing]]:
        """The modules that it registers, in order."""
        for name, value in self.attributes.items():
            if isinstance(value, Thing) and value.module:
                yield name, value

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters and buffers of its own."""
        for name, value in self.attributes.items():
            if isinstance(value, Tensor) and value.kind != "tensor":
                yield name, value

    def tree(self, path: str = "") -> Iterator[tuple[str, Thing]]:
        """All modules below it with their paths, itself first, each once."""
        seen: set[int] = set()
        waiting: list[tuple[str, Thing]] = [(path, self)]
        while waiting:
            here, thing = waiting.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            yield here, thing
            waiting += reversed([(f"{here}.{name}" if here else name, child) for name, child in thing.children()])


@dataclass(slots=True)
class Scope:
    """The names that a piece of code sees; `qualname` as Python spells it."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None
    qualname: str = ""

    def find(self, name: str) -> Scope | None:
        """The scope that binds a name."""
        here: Scope | None = self
        while here is not None and name not in here.names:
            here = here.outer
        return here


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the file."""

    node: ast.ClassDef
    scope: Scope


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the file; `owner` is the object that it is bound to, `home` the class that defines it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: Value = None
    home: Class | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A method that this reader knows by itself, bound to its object."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True)
class Bound:
    """`functools.partial`."""

    function: Value
    positional: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Super:
    """`super()` inside a method of `home`."""

    owner: Value
    home: Class | None


def inside(value: Value) -> Iterator[Value]:
    """A value and all that it holds, through lists and dictionaries."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here, (list, tuple, set)):
            waiting += here
        elif isinstance(here, dict):
            waiting += here.values()


def signals(*values: Value) -> tuple[int, ...]:
    """The operations whose results stand in these values."""
    return tuple(dict.fromkeys(one.op for value in values for one in inside(value) if isinstance(one, Signal)))


def certain(*values: Value) -> bool:
    """Whether values are plain Python all through."""
    return all(
        isinstance(one, (int, float, str, bool, type(None), list, tuple, dict, set, range)) for value in values for one in inside(value)
    )


def elements(shape: tuple[int, ...]) -> int:
    """The number of elements."""
    count = 1
    for size in shape:
        count *= size
    return count
