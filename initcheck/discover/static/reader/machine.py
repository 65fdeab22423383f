"""The reader's state: where it is in the file, what it is not sure of, and the operations of the network that it has met."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from initcheck.discover.names import ImportedNames
from initcheck.discover.static.reader.values import Deed, Opaque, Scope, Signal, Tensor, Thing, Value, View, certain, inside, signals
from initcheck.records.recording import Discarded, InitCall, Origin
from initcheck.records.source import Location

STEPS = 200_000
"""Statements and expressions that are read for one model, repeats in loops included."""
DEPTH = 60
PACKAGES = ("/site-packages/", "/dist-packages/", "\\site-packages\\")


class TooMuch(Exception):
    """The file asks for more steps than a reader takes."""


class Returned(Exception):
    """The function ends with this value."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Broke(Exception):
    """The loop ends."""


class Continued(Exception):
    """The next round begins."""


class Raised(Exception):
    """The code raises, with these arguments."""


@dataclass(slots=True)
class Frame:
    """A function that is being read. `left` says why it may have ended already; `loops` around the present line; `returned` so far."""

    qualname: str = ""
    left: str = ""
    loops: int = 0
    returned: list[Value] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Op:
    """One operation of the forward pass.

    role: a role word, or `sum`, `join`, `product`, `bias`, `scale`, `weight`, `input`, `unknown`. weights: the parameters that it uses,
    the weight first; kind: of the layer that these make. doubt: why it may not happen, or not so.
    """

    role: str
    inputs: tuple[int, ...] = ()
    weights: tuple[Tensor, ...] = ()
    kind: str = ""
    module: Thing | None = None
    parameter: tuple[float, ...] = ()
    groups: int = 1
    stride: tuple[int, ...] = (1,)
    turned: bool = False
    equation: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A parameter that was put into a second place: `holder.name` is the memory of `tensor` from `place` on."""

    holder: Thing
    name: str
    tensor: Tensor
    place: Location


@dataclass(frozen=True, slots=True)
class Replaced:
    """A module that made way for another one, as the attribute of some module."""

    old: Thing
    new: Thing
    place: Location


@dataclass(slots=True)
class Application:
    """A call of `Module.apply` that wrote nothing, and nothing of it was doubtful."""

    function: str
    node: ast.AST
    module: Thing
    location: Location


class Machine:
    """Reads one file; `world` holds its top-level names.

    `read` gives the value of an expression, `run` follows statements, `call` follows a call.
    """

    def __init__(self, path: str, tree: ast.Module) -> None:
        self.path, self.tree = path, tree
        self.names = ImportedNames(tree)
        self.world = Scope()
        self.origin: Origin = "library" if any(part in path for part in PACKAGES) else "user"
        self.frames: list[Frame] = [Frame()]
        self.ops: list[Op] = []
        self.lost: list[Discarded] = []
        self.applied: list[Application] = []
        self.ties: list[Tie] = []
        self.replaced: list[Replaced] = []
        self.steps = self.unknowns = self.deeds = self.sweep = 0
        self.callers: dict[int, str] = {}
        self.sweeps, self.draws = itertools.count(1), itertools.count(1)
        self._maybe = ""
        self.read: Callable[[ast.expr, Scope], Value]
        self.run: Callable[[Sequence[ast.stmt], Scope], None]
        self.call: Callable[..., Value]

    @property
    def unsure(self) -> str:
        """Why what is read now may not be executed; empty when it certainly is."""
        return self._maybe or next((frame.left for frame in self.frames if frame.left), "")

    @property
    def frame(self) -> Frame:
        """The function that is being read."""
        return self.frames[-1]

    @contextmanager
    def maybe(self, reason: str) -> Iterator[None]:
        """Reads something that may or may not be executed."""
        self.unknowns += 1
        before, self._maybe = self._maybe, self._maybe or reason
        try:
            yield
        finally:
            self._maybe = before

    def step(self) -> None:
        """Counts one step.

        Raises:
            TooMuch: when there were too many.
        """
        self.steps += 1
        if self.steps > STEPS:
            raise TooMuch(f"reading stopped after {STEPS:,} steps")

    def place(self, node: ast.AST) -> Location:
        """Where a piece of the source stands."""
        line, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        columns = (
            (node.col_offset + 1, (node.end_col_offset or 0) + 1)
            if hasattr(node, "col_offset") and hasattr(node, "end_col_offset")
            else (0, 0)
        )
        return Location(self.path, line, columns[0], columns[1] if line == end else 0, self.frame.qualname or "<module>")

    def where(self, node: ast.AST) -> str:
        """`line 12`, for reasons."""
        return f"line {getattr(node, 'lineno', 0)}"

    def open(self, reason: str) -> Opaque:
        """A value that is not known."""
        self.unknowns += 1
        return Opaque(reason)

    def op(self, role: str, inputs: Sequence[int] = (), **more: object) -> Signal:
        """A new operation of the network, and its result."""
        self.ops.append(Op(role, tuple(inputs), doubt=self.unsure, **more))  # type: ignore[arg-type]
        return Signal(len(self.ops) - 1)

    def merged(self, one: Value, other: Value, reason: str) -> Value:
        """What is known of a value that is one or the other."""
        if one is other or (certain(one, other) and type(one) is type(other) and one == other):
            return one
        found = signals(one, other)
        if found:
            return self.op("unknown", found)
        return self.open(reason)

    def write(self, target: Value, call: InitCall | None, node: ast.AST, **more: object) -> None:
        """Somebody writes into a tensor."""
        self.deeds += 1
        view = target if isinstance(target, View) else None
        tensor = view.base if view is not None else target
        if not isinstance(tensor, Tensor):
            self.unknowns += 1
            return
        place = self.place(node)
        if view is not None and view.computed:
            if call is not None and not self.unsure and self.origin == "user":
                self.lost.append(Discarded("computed", call, place, "", tensor.shape or ()))
            return
        told = tensor.kind == "parameter" and self.origin == "user"
        deed = Deed(call, place, self.origin, sweep=self.sweep, looped=self.frame.loops > 0, told=told, draw=next(self.draws))
        for key, value in more.items():
            setattr(deed, key, value)
        if view is not None and not view.whole:
            deed.partial = True
            tensor.parts.append(view.rows if not self.unsure else None)
        if self.unsure:
            deed.call, deed.reason, deed.origin, deed.told = None, self.unsure, "unknown", False
        elif view is not None and view.whole and call is not None:
            deed.call, deed.reason = None, "drawn on another shape of the tensor"
        tensor.write(deed)

    def taint(self, reason: str, *values: Value) -> None:
        """Something unknown may have changed these values."""
        self.unknowns += 1
        for one in inside(list(values)):
            if isinstance(one, Thing):
                for _, thing in one.tree():
                    thing.doubt = thing.doubt or reason
                    for tensor in thing.attributes.values():
                        if isinstance(tensor, Tensor):
                            tensor.doubt = tensor.doubt or reason
            elif isinstance(one, (Tensor, View)):
                base = one.base if isinstance(one, View) else one
                base.doubt = base.doubt or reason
