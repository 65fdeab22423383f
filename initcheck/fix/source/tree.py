"""Finds its way in a syntax tree: what stands at a place, around it, and under a qualified name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from initcheck.fix.source.text import Source
from initcheck.records.source import Location

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Tree:
    """The tree of one source, with the way upwards."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.source.tree) for child in ast.iter_child_nodes(node)}

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, the nearest first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def at(self, place: Location) -> ast.expr | ast.stmt | None:
        """The expression or statement that begins at a place; the largest that ends where the place does, else the smallest call."""
        found = [
            node
            for node in ast.walk(self.source.tree)
            if isinstance(node, (ast.expr, ast.stmt)) and node.lineno == place.line and self._column(node) == place.column
        ]
        exact = [node for node in found if place.end_column and node.end_lineno == place.line and self._end(node) == place.end_column]
        calls = [node for node in exact or found if isinstance(node, ast.Call)]
        if not calls:
            statements = [node for node in exact or found if isinstance(node, ast.stmt)]
            return (statements or exact or found or [None])[0]
        return min(calls, key=self._length) if exact else max(calls, key=self._length)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that a node belongs to."""
        if isinstance(node, ast.stmt):
            return node
        return next(outer for outer in self.above(node) if isinstance(outer, ast.stmt))

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which one stands."""
        parent = self.parents[statement]
        for _, value in ast.iter_fields(parent):
            if isinstance(value, list) and statement in value:
                return value
        return [statement]

    def function(self, node: ast.AST) -> Function | None:
        """The function that a node stands in."""
        return next((outer for outer in self.above(node) if isinstance(outer, FUNCTIONS)), None)

    def named(self, qualname: str) -> ast.AST | None:
        """The class or function with a qualified name (`Net.__init__`, `build.<locals>.Net`); the last one, where there are several."""
        scope: list[ast.AST] = [self.source.tree]
        for part in (part for part in qualname.split(".") if part != "<locals>"):
            inner: list[ast.AST] = [
                node for outer in scope for node in _within(outer) if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == part
            ]
            if not inner:
                return None
            scope = inner[-1:]
        return scope[0]

    def contains(self, node: ast.AST, place: Location) -> bool:
        """Whether a place lies in a node."""
        return node.lineno <= place.line <= node.end_lineno  # type: ignore[attr-defined,no-any-return]

    def alone(self, statement: ast.stmt) -> bool:
        """Whether a statement has its lines for itself."""
        start, end = self.source.span(statement)
        before = self.source.text[self.source.starts[statement.lineno - 1] : start]
        last = statement.end_lineno or statement.lineno
        behind = self.source.line(last)[end - self.source.starts[last - 1] :].strip()
        return not before.strip() and (not behind or behind.startswith("#"))

    def _column(self, node: ast.expr | ast.stmt) -> int:
        return self.source.offset(node.lineno, node.col_offset) - self.source.starts[node.lineno - 1] + 1

    def _end(self, node: ast.expr | ast.stmt) -> int:
        line = node.end_lineno or node.lineno
        return self.source.offset(line, node.end_col_offset or 0) - self.source.starts[line - 1] + 1

    def _length(self, node: ast.AST) -> int:
        start, end = self.source.span(node)
        return end - start


def _within(outer: ast.AST) -> Iterator[ast.AST]:
    """The statements inside a scope, those of `if` and `try` blocks included, those of inner functions and classes not."""
    waiting = list(getattr(outer, "body", []))
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case))]
