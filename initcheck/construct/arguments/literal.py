"""The object that a target names, and the literal arguments with which it is called."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from initcheck.errors import TargetError
from initcheck.records.target import Target


def literals(arguments: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The values of `64, depth=4`, which may hold Python literals only.

    Raises:
        TargetError: when the text is no list of arguments, or holds anything but literals.
    """
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise TypeError(arguments)  # noqa: TRY301  (`)(` closes the call early)
        keywords = {item.arg: ast.literal_eval(item.value) for item in call.keywords if item.arg is not None}
        return tuple(ast.literal_eval(value) for value in call.args), keywords
    except (SyntaxError, ValueError, TypeError) as error:
        cause = error
    message = f"cannot read the arguments ({arguments})"
    raise TargetError(message, "write them as Python literals: 'model.py::Net(64, depth=4)'", name="target-syntax") from cause


def resolve(target: Target, space: Mapping[str, Any]) -> object:
    """The object with the dotted name of the target in a namespace.

    Raises:
        TargetError: when there is no such name.
    """
    inner = target.recipe.chain if target.recipe is not None else ()
    first, *rest = [target.qualname.rsplit(".", 1)[-1]] if inner else target.qualname.split(".")
    if first not in space:
        raise TargetError(f"{target.path} has no {first}", f"initcheck {target.path}", name="unknown-name")
    found = space[first]
    for part in rest:
        if not hasattr(found, part):
            message = f"{first} in {target.path} has no {part}"
            raise TargetError(message, f"initcheck {target.path}::{first}", name="unknown-name")
        found = getattr(found, part)
    return found


def build(target: Target, found: object) -> object:
    """A module as it is; the result of calling anything else with the arguments of the target.

    Raises:
        TargetError: when it cannot be called, or arguments are missing or too many; shows the signature.
    """
    if isinstance(found, torch.nn.Module):
        return found
    if not callable(found):
        kind = type(found).__name__
        raise TargetError(f"{target.spec} is a {kind}, not a module", "name a module, a class or a function", name="no-module")
    args, kwargs = literals(target.arguments)
    _check_signature(target, found, args, kwargs)
    return found(*args, **kwargs)


def _check_signature(target: Target, found: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        signature = inspect.signature(found)
    except (ValueError, TypeError):  # some callables written in C have none
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        missing = [
            name
            for name, parameter in signature.parameters.items()
            if parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        line = getattr(getattr(found, "__code__", None), "co_firstlineno", 0) or (target.recipe.line if target.recipe else 0)
        where = f"{target.path}:{line}: " if line else ""
        message = f"cannot build {target.spec}: {error}\n  {where}{target.qualname}{signature}"
        separator = ":" if target.kind == "library" else "::"
        hint = f"Try: initcheck '{target.path}{separator}{target.qualname}({', '.join(f'{name}=...' for name in missing)})'"
        raise TargetError(message, hint, name="needs-args") from error
