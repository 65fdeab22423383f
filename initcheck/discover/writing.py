"""Reading what was written as an object: `Net`, `build`, `Net(width=64)`."""

from __future__ import annotations

import ast
import re

from initcheck.errors import UsageError

_NAME = re.compile(r"^\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*(?:\((.*)\))?\s*$", re.DOTALL)


def written_call(spec: str, written: str) -> tuple[str, str | None]:
    """The name and the source of the literal arguments (`None` without parentheses) of `Net(width=64)`."""
    match = _NAME.match(written)
    if match is None:
        raise UsageError(
            f"cannot read the target {spec!r}: {written!r} is no name", "a target looks like model.py::Net or 'model.py::Net(width=64)'"
        )
    name, arguments = match.groups()
    if arguments is not None:
        _check_literal(spec, arguments)
    return name, arguments


def _check_literal(spec: str, arguments: str) -> None:
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UsageError(f"cannot read the arguments of {spec!r}", "write them as in Python: 'model.py::Net(64, depth=4)'")
    for value in [*call.args, *(item.value for item in call.keywords)]:
        try:
            ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            message = (
                f"cannot use {ast.unparse(value)!r} in {spec!r}: only literals (numbers, strings, tuples, lists, dicts) can be given here"
            )
            raise UsageError(message, "for anything else put def initcheck_model(): return ... into the file") from None
    if any(item.arg is None for item in call.keywords):
        raise UsageError(f"cannot use ** in {spec!r}", "write the arguments out")
