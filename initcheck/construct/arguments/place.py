"""Where in the user's source a constructor failed, and which names stand there."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from initcheck.construct.arguments.sources import Sources, path_of

_OWN = str(Path(__file__).parents[2])


@dataclass(frozen=True, slots=True)
class Step:
    """A frame of the user's code: the statement it is at, and its variables."""

    path: str
    line: int
    function: str
    frame: types.FrameType
    statement: ast.stmt | None

    def names(self) -> list[str]:
        """The names, attributes and string keys in the line, in the order of the text."""
        if self.statement is None:
            return []
        nodes = [node for node in ast.walk(_head(self.statement)) if getattr(node, "lineno", self.line) >= 0]
        on_line = [node for node in nodes if getattr(node, "lineno", 0) <= self.line <= (getattr(node, "end_lineno", 0) or 0)]
        found: list[str] = []
        for node in on_line:
            if isinstance(node, ast.Name):
                found.append(node.id)
            elif isinstance(node, ast.Attribute):
                found.append(node.attr)
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                found.append(str(node.slice.value))
        return list(dict.fromkeys(found))

    def values(self) -> list[Any]:
        """The values that the names and paths of the line have in the frame."""
        found: list[Any] = []
        for node in ast.walk(_head(self.statement)) if self.statement is not None else ():
            if isinstance(node, (ast.Name, ast.Attribute)) and path_of(node):
                first, *rest = path_of(node).split(".")
                value = self.frame.f_locals.get(first, self.frame.f_globals.get(first))
                for part in rest:
                    value = vars(value).get(part) if hasattr(value, "__dict__") else None
                if value is not None:
                    found.append(value)
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """The frames of the user's code at a failure, the innermost first."""

    path: str = ""
    line: int = 0
    steps: tuple[Step, ...] = field(default_factory=tuple)


def place_of(error: BaseException, sources: Sources) -> Place:
    """Where the user's code was when it failed."""
    steps: list[Step] = []
    entry = error.__traceback__
    while entry is not None:
        path = entry.tb_frame.f_code.co_filename
        if not path.startswith((_OWN, "<frozen")) and "/site-packages/" not in path and "/lib/python3" not in path:
            statement = sources.statement(path, entry.tb_lineno)
            steps.append(Step(path, entry.tb_lineno, entry.tb_frame.f_code.co_name, entry.tb_frame, statement))
        entry = entry.tb_next
    steps.reverse()
    return Place(steps[0].path, steps[0].line, tuple(steps)) if steps else Place()


def _head(statement: ast.stmt) -> ast.AST:
    """The part of a compound statement that runs on its own line."""
    if isinstance(statement, (ast.If, ast.While)):
        return statement.test
    if isinstance(statement, (ast.For, ast.AsyncFor)):
        return statement.iter
    return statement
