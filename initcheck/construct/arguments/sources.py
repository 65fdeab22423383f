"""The syntax of the user's functions and classes, found from the live objects."""

from __future__ import annotations

import ast
import inspect
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Scope:
    """One function: its syntax, that of its class if it has one, every name or dotted path in it, and the parent of each node."""

    node: Function
    owner: ast.ClassDef | None
    space: dict[str, Any]
    paths: dict[str, list[ast.expr]] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for parent in ast.walk(self.node):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent
            path = path_of(parent)
            if path:
                assert isinstance(parent, ast.expr)
                self.paths.setdefault(path, []).append(parent)


def path_of(node: ast.AST | None) -> str:
    """`self.hidden` of an attribute of a name, `hidden` of a name, the empty string of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = path_of(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


class Sources:
    """The files of the user's functions, each parsed once."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.Module | None] = {}
        self._scopes: dict[tuple[str, int, str], Scope | None] = {}

    def tree(self, path: str) -> ast.Module | None:
        """The syntax of a file; `None` when it cannot be read."""
        if path not in self._trees:
            text = "".join(linecache.getlines(path))
            try:
                self._trees[path] = ast.parse(text) if text else None
            except SyntaxError:  # a notebook cell or a generated file
                self._trees[path] = None
        return self._trees[path]

    def scope(self, function: Any) -> Scope | None:
        """The syntax of a Python function, of the constructor if it is a class; `None` when there is no source."""
        function = function_of(function)
        if function is None:
            return None
        code = function.__code__
        key = (code.co_filename, code.co_firstlineno, code.co_name)
        if key not in self._scopes:
            self._scopes[key] = self._find(function)
        return self._scopes[key]

    def _find(self, function: types.FunctionType) -> Scope | None:
        code = function.__code__
        tree = self.tree(code.co_filename) if not code.co_filename.startswith("<") else None
        for node, owner in functions(tree) if tree is not None else ():
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if node.name == code.co_name and first == code.co_firstlineno:
                return Scope(node, owner, function.__globals__)
        return None

    def methods(self, owner: ast.ClassDef, space: dict[str, Any], path: str) -> list[Scope]:
        """The scopes of the methods of a class."""
        found: list[Scope] = []
        for item in owner.body:
            if isinstance(item, Function):
                key = (path, item.lineno, item.name)
                if key not in self._scopes:
                    self._scopes[key] = Scope(item, owner, space)
                scope = self._scopes[key]
                assert scope is not None
                found.append(scope)
        return found

    def statement(self, path: str, line: int) -> ast.stmt | None:
        """The innermost statement of a file that covers a line."""
        tree = self.tree(path)
        best: ast.stmt | None = None
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
                best = node
        return best


def functions(tree: ast.AST, owner: ast.ClassDef | None = None) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Every function below a node, with the class that holds it directly."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield node, owner
            yield from functions(node)
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, node)
        else:
            yield from functions(node, owner)


def function_of(thing: Any) -> types.FunctionType | None:
    """The Python function that runs when something is called, `__init__` for a class; `None` for what is written in C."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, type):
        found = inspect.getattr_static(thing, "__init__", None)
        thing = inspect.unwrap(found) if callable(found) else found
    if isinstance(thing, types.MethodType):
        thing = thing.__func__
    return thing if isinstance(thing, types.FunctionType) else None


def static(node: ast.AST | None, space: dict[str, Any]) -> Any:
    """What a dotted path means in a namespace, following modules and classes only; `None` when that is not known."""
    if isinstance(node, ast.Name):
        return space.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = static(node.value, space)
        return inspect.getattr_static(inner, node.attr, None) if isinstance(inner, (types.ModuleType, type)) else None
    return None
