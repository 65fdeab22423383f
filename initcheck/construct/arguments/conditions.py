"""Values that meet the conditions that the user's constructor states: assertions, and the tests above a `raise`."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from initcheck.construct.arguments.arithmetic import ARITHMETIC
from initcheck.construct.arguments.place import Step
from initcheck.construct.arguments.sources import Sources, path_of

_BINARY: dict[type, Callable[..., Any]] = {
    **ARITHMETIC,
    ast.BitAnd: operator.and_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_CALLS: dict[str, Callable[..., Any]] = {
    "len": len, "int": int, "float": float, "abs": abs, "max": max, "min": min, "sum": sum, "isinstance": isinstance, "range": range,
    "sqrt": math.sqrt, "log2": math.log2, "log": math.log, "all": all, "any": any, "type": type, "list": list, "tuple": tuple, "set": set,
}  # fmt: skip


class Undecided(Exception):
    """The condition holds something that is not evaluated."""


def allowed(step: Step, name: str, value: Any, universe: Iterable[Any], sources: Sources) -> Iterator[Any]:
    """Values for a variable under which the failing assertion would hold, or the failing `raise` would not be reached; at most four."""
    conditions = _conditions(step, sources)
    if not conditions:
        return
    count = 0
    for other in dict.fromkeys(_hashable(universe)):
        if type(other) is type(value) and other == value:
            continue
        if type(value) is int and type(other) is float:
            continue
        try:
            if all(bool(_value(test, step, {name: other})) is truth for test, truth in conditions):
                yield other
                count += 1
        except (Undecided, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
            continue
        if count >= 4:
            return


def _hashable(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, (int, float, str)) and not isinstance(value, bool)]


def _conditions(step: Step, sources: Sources) -> list[tuple[ast.expr, bool]]:
    """The tests that decided, and the truth that each should have."""
    statement = step.statement
    if isinstance(statement, ast.Assert):
        return [(statement.test, True)]
    if not isinstance(statement, ast.Raise):
        return []
    tree = sources.tree(step.path)
    nodes = ast.walk(tree) if tree is not None else iter(())
    chain = [node for node in nodes if isinstance(node, ast.If) and any(child is statement for child in ast.walk(node))]
    if not chain:
        return []
    inner = chain[-1]
    if any(child is statement for part in inner.body for child in ast.walk(part)):
        return [(inner.test, False)]
    heads = [node for node in chain if any(child is statement for part in node.orelse for child in ast.walk(part))]
    return [(ast.BoolOp(ast.Or(), [node.test for node in heads]), True)] if len(heads) > 1 else [(heads[0].test, True)]


def keys_at(step: Step) -> list[Any]:
    """The keys of the dictionaries that the line looks up."""
    found: list[Any] = []
    for node in ast.walk(step.statement) if step.statement is not None else ():
        if isinstance(node, ast.Subscript):
            if isinstance(node.value, ast.Dict):
                found.extend(key.value for key in node.value.keys if isinstance(key, ast.Constant))
                continue
            try:
                table = _value(node.value, step, {})
            except (Undecided, TypeError, LookupError, AttributeError):
                continue
            found.extend(table if isinstance(table, dict) else range(len(table)) if isinstance(table, (list, tuple)) else ())
    return found


def _value(node: ast.expr, step: Step, given: dict[str, Any]) -> Any:
    """An expression in the frame of a step, some variables replaced."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _named(node, step, given)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.left, step, given), _value(node.right, step, given))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.operand, step, given))
    if isinstance(node, ast.BoolOp):
        results = [bool(_value(item, step, given)) for item in node.values]
        return all(results) if isinstance(node.op, ast.And) else any(results)
    if isinstance(node, ast.Compare):
        values = [_value(item, step, given) for item in (node.left, *node.comparators)]
        pairs = zip(node.ops, values, values[1:], strict=False)
        return all(bool(_BINARY[type(op)](one, other)) for op, one, other in pairs)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [_value(item, step, given) for item in node.elts]
    if isinstance(node, ast.Subscript):
        return _value(node.value, step, given)[_value(node.slice, step, given)]
    if isinstance(node, ast.Call) and not node.keywords:
        function = _CALLS.get(path_of(node.func).rsplit(".", 1)[-1])
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "lower", "upper", "values"):
            return getattr(_value(node.func.value, step, given), node.func.attr)()
        if function is not None:
            return function(*(_value(item, step, given) for item in node.args))
    raise Undecided(ast.dump(node))


def _named(node: ast.Name | ast.Attribute, step: Step, given: dict[str, Any]) -> Any:
    last = node.id if isinstance(node, ast.Name) else node.attr
    if last in given:
        return given[last]
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, step, given), node.attr)
    for space in (step.frame.f_locals, step.frame.f_globals):
        if node.id in space:
            return space[node.id]
    builtin = {"int": int, "str": str, "list": list, "tuple": tuple, "float": float, "dict": dict, "bool": bool}
    if node.id in builtin:
        return builtin[node.id]
    raise Undecided(node.id)
