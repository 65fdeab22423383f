"""What the source says around a line: whether a failure there is provided for, what is decorated, which names are read."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from types import FrameType

from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.errors import TargetError
from initcheck.source.calls import last_name
from initcheck.source.reading import python_source

_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError"})
_BROAD = _IMPORT_ERRORS | {"Exception", "BaseException"}
_EXITS = frozenset({"exit", "quit", "_exit", "abort"})


def provided_for(frame: FrameType) -> bool:
    """Whether an import that fails in this frame is caught, there or further out, by code that goes on without it.

    Further out only handlers that name ImportError count: a broad one around a whole program is not about an import.
    """
    names = _BROAD
    current: FrameType | None = frame
    while current is not None and (kind := kind_of(current.f_code)) is not Kind.OWN:
        if kind is Kind.USER and any(_caught(block, names) for block in _around(current.f_code.co_filename, current.f_lineno)):
            return True
        if kind is Kind.USER:
            names = _IMPORT_ERRORS
        current = current.f_back
    return False


def demanded(path: str, line: int) -> bool:
    """Whether a line is the condition of an `assert`, or of an `if` that raises or exits where the condition does not hold."""
    tree = _tree(path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, (ast.Assert, ast.If)) and node.test.lineno <= line <= (node.test.end_lineno or line):
            if isinstance(node, ast.Assert):
                return True
            negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
            block = node.body if negated else node.orelse
            return bool(block) and _gives_up(block)
    return False


def decorated(path: str, line: int) -> frozenset[str] | None:
    """The names of the classes and functions that a decorator on this line is for; None when the source cannot be read."""
    tree = _tree(path)
    if tree is None:
        return None
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and any(mark.lineno <= line <= (mark.end_lineno or mark.lineno) for mark in node.decorator_list)
    )


def stars(path: str) -> Iterator[tuple[str, int]]:
    """The modules of which a file imports all names, with their lines."""
    tree = _tree(path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ImportFrom) and node.module and node.names[0].name == "*":
            yield node.module, node.lineno


def names_on(path: str, line: int) -> tuple[str, ...]:
    """The names that a line reads, with the attributes read from them (`np.float`), in the order in which they stand there."""
    tree = _tree(path)
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Name, ast.Attribute)) and node.lineno == line] if tree else []
    inner = {node.value for node in nodes if isinstance(node, ast.Attribute)}
    chains = [(node.col_offset, _dotted(node)) for node in nodes if node not in inner]
    return tuple(chain for _, chain in sorted(chains) if chain)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    before = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before and isinstance(node, ast.Attribute) else ""


def forget() -> None:
    """Forgets the sources that were read; they may change between targets."""
    _tree.cache_clear()


@functools.lru_cache(maxsize=256)
def _tree(path: str) -> ast.Module | None:
    try:
        return ast.parse(python_source(path))
    except (OSError, SyntaxError, ValueError, TargetError):
        return None


def _around(path: str, line: int) -> Iterator[ast.Try | ast.With]:
    tree = _tree(path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, (ast.Try, ast.With)) and node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0):
            yield node


def _caught(block: ast.Try | ast.With, names: frozenset[str]) -> bool:
    if isinstance(block, ast.With):
        calls = [item.context_expr for item in block.items if isinstance(item.context_expr, ast.Call)]
        return any(last_name(call.func) == "suppress" and any(last_name(kind) in names for kind in call.args) for call in calls)
    return any(_catches(handler, names) and not _gives_up(handler.body) for handler in block.handlers)


def _catches(handler: ast.ExceptHandler, names: frozenset[str]) -> bool:
    if handler.type is None:
        return names is _BROAD
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in names for kind in kinds)


def _gives_up(block: list[ast.stmt]) -> bool:
    """Whether statements end with an error or an exit, so that they are no way to go on."""
    last = block[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return last_name(last.value.func) in _EXITS
    return isinstance(last, ast.Raise)
