"""Python's own functions and methods, on values that are known."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from initcheck.discover.static.known.classes import by_name, isinstance_of
from initcheck.discover.static.reader.machine import Machine
from initcheck.discover.static.reader.values import (
    LONGEST,
    Bound,
    Dotted,
    Opaque,
    Signal,
    Tensor,
    Thing,
    Value,
    View,
    certain,
    signals,
)

_FOLDED: dict[str, Callable[..., Value]] = {
    **{f"builtins.{one.__name__}": one for one in (int, float, str, bool, abs, round, min, max, sum, sorted, divmod, pow, repr, any, all)},
    **{
        f"math.{name}": getattr(math, name)
        for name in ("sqrt", "ceil", "floor", "log", "log2", "log10", "exp", "prod", "pow", "gcd", "cos", "sin")
    },
    "numpy.sqrt": math.sqrt,
    "numpy.prod": math.prod,
    "numpy.log": math.log,
}
_NUMBERS = ("int", "float", "abs", "round", "len", "min", "max", "sum", "sqrt", "ceil", "floor", "log", "log2", "exp", "prod", "pow")
_TEXT = frozenset(
    "find startswith endswith lower upper strip split replace join format count index isdigit title rsplit partition rpartition".split()
)
_SEQUENCE = frozenset("index count copy".split())


def function(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A function of Python that is known; NotImplemented for any other."""
    short = name.rpartition(".")[2]
    given = [*positional, *keywords.values()]
    if name == "builtins.isinstance" and len(positional) == 2:
        return isinstance_of(machine, positional[0], positional[1])
    if name in _LISTS:
        return NotImplemented if signals(*given) else _listing(machine, name, positional, keywords)
    if name in ("builtins.getattr", "builtins.hasattr", "builtins.setattr") and len(positional) > 1:
        return by_name(machine, short, positional, node)
    if name == "builtins.len" and len(positional) == 1:
        return _length(machine, positional[0])
    if name == "builtins.type" and len(positional) == 1:
        found = positional[0]
        return (found.cls if found.cls is not None else Dotted(found.dotted)) if isinstance(found, Thing) else machine.open("a type")
    if name in _FOLDED and not signals(*given):
        if certain(*given) and not any(isinstance(one, Opaque) for one in given):
            return _folded(machine, name, positional, keywords, node)
        numbers = all(isinstance(one, (int, float)) or (isinstance(one, Opaque) and one.number) for one in given)
        tensor = next((one for one in given if isinstance(one, (Tensor, View))), None)
        return Opaque(
            next((one.reason for one in given if isinstance(one, Opaque)), "not known"),
            number=numbers or (short in _NUMBERS and tensor is None),
        )
    if name == "functools.partial" and positional:
        return _partial(machine, positional, keywords)
    if name in ("collections.OrderedDict", "builtins.dict"):
        return _dictionary(machine, positional, keywords)
    return NotImplemented


def _folded(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    try:
        return _FOLDED[name](*positional, **keywords)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError, ArithmeticError) as error:
        return machine.open(f"{type(error).__name__} in {machine.where(node)}")


def method(machine: Machine, owner: Value, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A method of a text, a list or a dictionary; NotImplemented for any other."""
    if isinstance(owner, list) and name in ("append", "extend", "insert", "reverse", "pop", "clear", "remove", "sort"):
        return _change(machine, owner, name, positional)
    if isinstance(owner, dict) and name in ("items", "values", "keys", "get", "update", "pop", "setdefault", "copy"):
        return _of_dictionary(machine, owner, name, positional, keywords)
    allowed = (isinstance(owner, str) and name in _TEXT) or (isinstance(owner, (list, tuple)) and name in _SEQUENCE)
    if allowed and certain(owner, *positional) and not keywords:
        try:
            return getattr(owner, name)(*positional)
        except (TypeError, ValueError, IndexError) as error:
            return machine.open(f"{type(error).__name__} in {machine.where(node)}")
    if isinstance(owner, (str, int, float, tuple, list, dict, set, range)):
        found = signals(owner, *positional)
        return machine.op("unknown", found) if found else machine.open(f"`.{name}()`")
    return NotImplemented


def _change(machine: Machine, owner: list[Value], name: str, positional: Sequence[Value]) -> Value:
    if machine.unsure:
        found = signals(*positional)
        owner.append(machine.op("unknown", found) if found else Opaque(machine.unsure, rest=True))
    elif name == "append" and positional:
        owner.append(positional[0])
    elif name == "extend" and positional:
        more = positional[0].attributes.values() if isinstance(positional[0], Thing) else positional[0]
        owner.extend(
            more if isinstance(more, (list, tuple, range)) or not isinstance(more, (Opaque, Signal)) else [Opaque("not known", rest=True)]
        )
    elif name == "reverse":
        owner.reverse()
    elif name == "insert" and len(positional) == 2 and isinstance(positional[0], int):
        owner.insert(positional[0], positional[1])
    elif name == "pop" and owner and not (positional and not isinstance(positional[0], int)):
        return owner.pop(*positional)
    elif name == "clear":
        owner.clear()
    else:
        owner.append(Opaque(f"`{name}` of a list", rest=True))
    return None


def _of_dictionary(
    machine: Machine, owner: dict[Value, Value], name: str, positional: Sequence[Value], keywords: Mapping[str, Value]
) -> Value:
    if name in ("items", "values", "keys"):
        return [tuple(pair) if isinstance(pair, tuple) and name == "items" else pair for pair in getattr(owner, name)()]
    if name == "copy":
        return dict(owner)
    if name == "update":
        more = positional[0] if positional else {}
        if not isinstance(more, dict) or machine.unsure:
            owner.clear()
            return machine.open("a dictionary that is not known")
        owner.update(more)
        owner.update(keywords)
        return None
    key = positional[0] if positional else None
    if not isinstance(key, (str, int, float, tuple)):
        return machine.open("a key that is not known")
    default = positional[1] if len(positional) > 1 else None
    if name == "pop" and not machine.unsure:
        return owner.pop(key, default)
    return owner.get(key, default)


def _length(machine: Machine, value: Value) -> Value:
    if isinstance(value, Thing) and value.dotted.startswith("torch.nn.") and not value.doubt:
        return len(value.attributes)
    if isinstance(value, (list, tuple)) and any(isinstance(one, Opaque) and one.rest for one in value):
        return Opaque("the length of a list that is not known", number=True)
    if isinstance(value, (list, tuple, dict, str, set, range)):
        return len(value)
    del machine
    return Opaque("a length that is not known", number=True)


_LISTS = frozenset(
    f"builtins.{name}" for name in ("range", "list", "tuple", "zip", "enumerate", "reversed", "set", "map", "filter", "next")
) | {
    "itertools.chain",
    "itertools.pairwise",
}


def _listing(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    short = name.rpartition(".")[2]
    if short == "range":
        known = all(isinstance(one, int) for one in positional) and not keywords and len(range(*positional)) <= LONGEST
        return range(*positional) if known and positional else machine.open("how often is not known")
    parts = [_elements(one) for one in positional]
    if short in ("map", "filter", "next") or (short not in ("map", "filter") and any(part is None for part in parts)):
        return machine.open(f"`{short}` of something that is not known")
    lists: list[list[Value]] = [part for part in parts if part is not None]
    rest = next((one for part in lists for one in part if isinstance(one, Opaque) and one.rest), None)
    if short in ("zip", "enumerate", "reversed", "pairwise") and rest is not None:
        return [rest] if short != "enumerate" else [*_counted(lists[0]), rest]
    if short == "zip":
        return [tuple(group) for group in zip(*lists, strict=False)]
    if short == "pairwise":
        return [tuple(pair) for pair in itertools.pairwise(lists[0])]
    if short == "enumerate":
        start = positional[1] if len(positional) > 1 and isinstance(positional[1], int) else keywords.get("start", 0)
        return (
            [(index + start, one) for index, one in enumerate(lists[0])]
            if isinstance(start, int)
            else machine.open("a count that is not known")
        )
    if short == "reversed":
        return list(reversed(lists[0]))
    joined = [one for part in lists for one in part]
    return tuple(joined) if short == "tuple" else joined


def _counted(items: list[Value]) -> list[Value]:
    known = list(itertools.takewhile(lambda one: not (isinstance(one, Opaque) and one.rest), items))
    return list(enumerate(known))


def _elements(value: Value) -> list[Value] | None:
    if isinstance(value, Thing) and value.dotted in ("torch.nn.ModuleList", "torch.nn.Sequential", "torch.nn.ParameterList"):
        return [*value.attributes.values(), *([Opaque(value.doubt, rest=True)] if value.doubt else [])]
    if isinstance(value, Thing) and value.dotted == "torch.nn.ModuleDict" and not value.doubt:
        return list(value.attributes)
    return list(value) if isinstance(value, (list, tuple, dict, str, set, range)) else [] if isinstance(value, int) else None


def _partial(machine: Machine, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    del machine
    return Bound(positional[0], tuple(positional[1:]), tuple(keywords.items()))


def _dictionary(machine: Machine, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    given = positional[0] if positional else []
    if isinstance(given, dict):
        return {**given, **keywords}
    pairs = given if isinstance(given, (list, tuple)) else None
    if pairs is None or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], (str, int)) for pair in pairs):
        return machine.open("a dictionary that is not known")
    return {**{pair[0]: pair[1] for pair in pairs}, **keywords}
