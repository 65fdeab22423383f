"""Which global names one top-level statement reads and binds, by Python's own scope rules (`symtable`)."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field

_IMMEDIATE = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
# What constructing an object reaches without being named by it.
_CONSTRUCTION = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__setattr__", "__getattr__"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The global names of one statement.

    `reads` are needed when the statement runs, `deferred` when what it defines is called or constructed, `later` only in methods of a
    module that constructing does not reach (`forward`). `binds` are the names it gives a value; `writes` the global names that the
    functions it defines assign when they are called.
    """

    binds: frozenset[str]
    reads: frozenset[str]
    deferred: frozenset[str]
    later: frozenset[str]
    writes: frozenset[str]


@dataclass(slots=True)
class _Found:
    binds: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)


def scope(statement: ast.stmt) -> Scope:
    """The global names that a top-level statement touches."""
    found = _Found()
    # A statement by itself keeps its scopes apart from its neighbours'; the line numbers do not matter here.
    table = symtable.symtable(ast.unparse(statement), "<statement>", "exec")
    for symbol in table.get_symbols():
        if symbol.is_referenced():
            found.reads.add(symbol.get_name())
        if symbol.is_assigned() or symbol.is_imported():
            found.binds.add(symbol.get_name())
    methods = _method_nodes(statement)
    for child in table.get_children():
        _visit(child, found, "reads", methods)
    for node in ast.walk(statement):
        # symtable counts the target of `x += 1` and `del x` as assigned only.
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in found.binds:
            found.reads.add(node.target.id)
    if isinstance(statement, ast.Delete):
        found.binds.clear()
    found.binds.discard("*")
    return Scope(frozenset(found.binds), frozenset(found.reads), frozenset(found.deferred), frozenset(found.later), frozenset(found.writes))


def _visit(table: symtable.SymbolTable, found: _Found, level: str, methods: dict[str, dict[str, ast.AST]]) -> None:
    kind = str(getattr(table.get_type(), "value", table.get_type()))
    if kind == "class":
        _class(table, found, level, methods)
        return
    if kind == "function" and table.get_name() not in _IMMEDIATE and level == "reads":
        level = "deferred"
    elif kind == "annotation":  # evaluated only when somebody asks, since Python 3.14
        level = "later"
    target: set[str] = getattr(found, level)
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            target.add(symbol.get_name())
        if symbol.is_global() and symbol.is_assigned():
            (found.binds if level == "reads" else found.writes).add(symbol.get_name())
    for child in table.get_children():
        _visit(child, found, level, methods)


def _class(table: symtable.SymbolTable, found: _Found, level: str, methods: dict[str, dict[str, ast.AST]]) -> None:
    target: set[str] = getattr(found, level)
    for symbol in table.get_symbols():
        # A class body falls back to the global name until its own is bound (`x = x`).
        if symbol.is_referenced() and (symbol.is_global() or not symbol.is_assigned()):
            target.add(symbol.get_name())
        elif symbol.is_referenced():
            found.later.add(symbol.get_name())
        if symbol.is_global() and symbol.is_assigned():
            found.binds.add(symbol.get_name())
    own = methods.get(table.get_name(), {})
    reached = _reached(own) if "forward" in own or "training_step" in own else None
    for child in table.get_children():
        inner = level
        if reached is not None and child.get_name() in own and child.get_name() not in reached and child.get_type() == "function":
            inner = "later"
        _visit(child, found, inner, methods)


def _reached(methods: dict[str, ast.AST]) -> set[str]:
    """The methods of a module that its construction may call."""
    waiting = [name for name in methods if name in _CONSTRUCTION]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += [node.attr for node in ast.walk(methods[name]) if isinstance(node, ast.Attribute) and node.attr in methods]
    return reached


def _method_nodes(statement: ast.stmt) -> dict[str, dict[str, ast.AST]]:
    """For each class in a statement, its methods by name."""
    return {node.name: dict(_methods(node)) for node in ast.walk(statement) if isinstance(node, ast.ClassDef)}


def _methods(node: ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield item.name, item
