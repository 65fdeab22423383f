"""A run that is watched call by call, so that its failure names the tensors at fault and the arguments they came from."""

from __future__ import annotations

import ast
import linecache
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import Module
from torch.overrides import TorchFunctionMode

Place: TypeAlias = tuple[str | int, ...]
"""Where a tensor lies in the arguments: `(0,)`, `("mask",)`, `("batch", "ids")`; keyword arguments begin with their name."""

_GETTERS = frozenset({"__get__", "size", "dim", "numel", "__len__", "ndimension", "is_floating_point", "stride", "data_ptr"})
_SAME = frozenset(
    {
        "view", "reshape", "permute", "transpose", "unsqueeze", "squeeze", "float", "long", "to", "type", "contiguous", "flatten", "expand",
        "__getitem__", "t", "double", "int", "clone", "detach", "movedim", "swapaxes", "unflatten", "unbind", "chunk", "split", "div", "mul",
        "__truediv__", "requires_grad_", "__mul__", "__add__", "__sub__", "true_divide",
    }
)  # fmt: skip
"""Calls whose result is still the argument itself, cut or arranged in another way."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a tensor came from: all arguments that went into it, and whether it still is one of them; `column` was cut out of it.

    `values` is false for tensors that took over no more than a shape.
    """

    places: frozenset[Place] = frozenset()
    direct: bool = False
    column: int = -1
    values: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """A tensor as it reached a call."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    trail: Trail


@dataclass(slots=True)
class Setback:
    """A failed run.

    `progress` counts the calls that went well, `op` and `seen` are the failing call (or the last one), `plain` its
    arguments that are no tensors, `map` the last activation with more than two axes that was flattened. `asserted` holds the two
    sides of the comparison of whole numbers that an assertion made, with its source. `stretched` and `recut` tell of odd runs: one
    position that was repeated for all positions of the model, maps of images that became another number of samples.
    """

    error: BaseException | None = None
    progress: int = 0
    op: str = ""
    seen: tuple[Seen, ...] = ()
    plain: tuple[Any, ...] = ()
    map: tuple[int, ...] = ()
    asserted: tuple[str, int, int] | None = None
    inside: bool = False
    stretched: bool = False
    recut: bool = False

    @property
    def text(self) -> str:
        """The message of the user's exception."""
        return str(self.error) if self.error is not None else ""


@dataclass(slots=True)
class _State:
    kept: dict[int, tuple[Tensor, Trail]] = field(default_factory=dict)
    last: tuple[str, tuple[Seen, ...], tuple[Any, ...]] = ("", (), ())
    failed: BaseException | None = None


class _Probe(TorchFunctionMode):
    """Follows the arguments through every call of torch that Python code makes."""

    def __init__(self, setback: Setback) -> None:
        super().__init__()
        self.setback = setback
        self.state = _State()
        self.rows: set[int] = set()

    def mark(self, tensor: Tensor, trail: Trail) -> None:
        self.state.kept[id(tensor)] = (tensor, trail)

    def trail(self, tensor: Tensor) -> Trail:
        found = self.state.kept.get(id(tensor))
        return found[1] if found is not None else Trail()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs the call and passes the origins on."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        given = _tensors((args, kwargs))
        seen = tuple(Seen(tuple(tensor.shape), tensor.dtype, self.trail(tensor)) for tensor in given) if name != "__get__" else ()
        if name == "__get__" and given:
            seen = (Seen(tuple(torch.Tensor.size(given[0])), torch.float32, self.trail(given[0])),)
        plain = tuple(value for value in (*args, *kwargs.values()) if not isinstance(value, Tensor))
        self.state.last = (name, seen, plain)
        try:
            out = func(*args, **kwargs)
        except Exception as error:
            self.state.failed = error
            raise
        if name not in _GETTERS:
            self.setback.progress += 1
            self._pass_on(name, seen, plain, out)
        return out

    def _pass_on(self, name: str, seen: tuple[Seen, ...], plain: tuple[Any, ...], out: Any) -> None:
        places = frozenset[Place]().union(*(one.trail.places for one in seen))
        if not places:
            return
        first = seen[0]
        if name in ("view", "reshape", "flatten", "mean") and len(first.shape) > 2 and first.trail.places and not first.trail.direct:
            self.setback.map = first.shape
        if len(seen) > 1:
            self.setback.stretched = self.setback.stretched or _stretches(name, seen)
        direct = name in _SAME and first.trail.direct and not any(one.trail.places for one in seen[1:])
        column = _column(plain) if name == "__getitem__" else first.trail.column
        values = not name.startswith("new_") and not name.endswith("_like") and any(one.trail.values for one in seen if one.trail.places)
        for tensor in _tensors(out):
            self.mark(tensor, Trail(places, direct, column if direct else -1, values))
            if (
                name in ("view", "reshape")
                and values
                and not direct
                and first.shape[0] in self.rows
                and _recuts(first.shape, tuple(tensor.shape))
            ):
                self.setback.recut = True


def probe(model: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Setback:
    """Runs the model without gradients and tells how far it came; `error` is `None` when nothing went wrong.

    The error's frames hold the activations: drop the setback soon.
    """
    setback = Setback()
    watch = _Probe(setback)
    for place, tensor in places(args, kwargs):
        watch.mark(tensor, Trail(frozenset({place}), direct=True))
        watch.rows.update(tensor.shape[:1])
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[], device_type="cpu"), watch:
            model(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  (whatever the user's forward raises is what is asked for here)
        setback.error = error
        setback.op, setback.seen, setback.plain = watch.state.last
        setback.inside = watch.state.failed is error
        if isinstance(error, AssertionError):
            setback.asserted = _asserted(error)
    watch.state.kept.clear()
    return setback


def places(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[tuple[Place, Tensor]]:
    """Every tensor of the arguments with its place."""
    found: list[tuple[Place, Tensor]] = []
    for index, value in enumerate(args):
        _collect(value, (index,), found)
    for name, value in kwargs.items():
        _collect(value, (name,), found)
    return found


def _collect(value: Any, place: Place, found: list[tuple[Place, Tensor]]) -> None:
    if isinstance(value, Tensor):
        found.append((place, value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _collect(item, (*place, key), found)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _collect(item, (*place, index), found)


def _tensors(value: Any, depth: int = 3) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if depth and isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in _tensors(item, depth - 1)]
    if depth and isinstance(value, dict):
        return [tensor for item in value.values() for tensor in _tensors(item, depth - 1)]
    return []


def _column(plain: tuple[Any, ...]) -> int:
    """The number in `x[:, number]`."""
    index = plain[0] if plain else None
    if isinstance(index, tuple) and len(index) > 1 and isinstance(index[-1], int) and not isinstance(index[-1], bool):
        return index[-1]
    return -1


def _recuts(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether maps of images are cut into another number of rows, other than one for each pixel."""
    return len(before) == 4 and len(after) == 2 and after[0] != before[0] and after[1] != before[-1]


def _stretches(name: str, seen: tuple[Seen, ...]) -> bool:
    """Whether an activation is repeated along an axis to fit a tensor of the model: positions that one patch is added to."""
    if name not in ("add", "__add__", "__radd__", "__iadd__", "add_"):
        return False
    for one, other in (seen[:2], seen[1::-1]):
        if not one.trail.places or other.trail.places or len(one.shape) != len(other.shape) or len(one.shape) < 3:
            continue
        pairs = list(zip(one.shape[1:], other.shape[1:], strict=True))
        if any(a == 1 < b for a, b in pairs) and any(a == b > 1 for a, b in pairs):
            return True
    return False


def _asserted(error: BaseException) -> tuple[str, int, int] | None:
    """The comparison of two whole numbers that failed, its sides evaluated once more where it was made."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return None
    frame, line = frames[-1]
    for test in _tests(frame.f_code, line):
        if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
            continue
        left, right = _number(test.left, frame), _number(test.comparators[0], frame)
        if left is not None and right is not None and left != right:
            return ast.unparse(test), left, right
    return None


def _tests(code: CodeType, line: int) -> list[ast.expr]:
    """The conditions, joined by `and`, of the assertion at a line."""
    source = "".join(linecache.getlines(code.co_filename))
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno):
            return node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
    return []


def _number(expression: ast.expr, frame: FrameType) -> int | None:
    """The value of a side that is made of names, attributes, indices, numbers and calls without effect."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Attribute) and node.func.attr in ("size", "dim", "ndimension")):
            is_length = isinstance(node.func, ast.Name) and node.func.id == "len"
            if not is_length:
                return None
    try:
        code = compile(ast.Expression(expression), "<assertion>", "eval")
        value = eval(code, frame.f_globals, frame.f_locals)  # noqa: S307  (the user's own expression, which has just been evaluated)
    except Exception:  # noqa: BLE001  (a side that cannot be evaluated alone tells nothing)
        return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
