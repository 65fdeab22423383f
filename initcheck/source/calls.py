"""Calls in a syntax tree: the last name of what is called, and the names on which methods are called."""

from __future__ import annotations

import ast
from collections.abc import Collection

MODULE_METHODS = frozenset({"parameters", "named_parameters", "state_dict", "load_state_dict", "zero_grad"})
"""Methods by which a name shows that it holds a module; an optimizer has some of them, too."""


def last_name(function: ast.expr) -> str:
    """`c` of `a.b.c` and of `c`, empty for anything else."""
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def receivers(tree: ast.AST, methods: Collection[str]) -> frozenset[str]:
    """The names on which one of the methods is called, anywhere in the tree."""
    return frozenset(
        node.func.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in methods
        and isinstance(node.func.value, ast.Name)
    )


def unsettled(call: ast.Call) -> int:
    """How many arguments of a call read a name."""
    values = [*call.args, *(item.value for item in call.keywords)]
    return sum(any(isinstance(node, (ast.Name, ast.Starred)) for node in ast.walk(value)) for value in values)
