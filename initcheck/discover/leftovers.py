"""What of a script is not executed, in words for the reader."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from initcheck.discover.effects import Effects
from initcheck.source.flattening import is_main_guard

_SILENT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def leftovers(left: Mapping[int, ast.stmt], effects: Effects, training: Collection[int], held: frozenset[str]) -> tuple[str, ...]:
    """Descriptions of the statements in `left` (by position) that matter, the same things joined (`optimizer (lines 20, 21)`).

    `training` are the positions that train; `held` the names of the model, empty if it is no instance.
    """
    lines: dict[str, list[int]] = {}
    for index, statement in left.items():
        words = _describe(statement, effects, trains=index in training, held=held)
        if words:
            lines.setdefault(words, []).append(statement.lineno)
    plural = {words: "line" if len(where) == 1 else "lines" for words, where in lines.items()}
    return tuple(f"{words} ({plural[words]} {', '.join(map(str, where))})" for words, where in lines.items())


def _describe(statement: ast.stmt, effects: Effects, *, trains: bool, held: frozenset[str]) -> str:
    if isinstance(statement, _SILENT):
        return ""
    if is_main_guard(statement):
        return 'the `if __name__ == "__main__"` block'
    if trains:
        return "training loop" if isinstance(statement, (ast.For, ast.While)) else "training"
    data = effects.data(statement)
    if data or effects.optimizes(statement):
        return data or "optimizer"
    unjudged = effects.unjudged(statement, held) if held else ""
    return f"call of {unjudged}" if unjudged else ""
