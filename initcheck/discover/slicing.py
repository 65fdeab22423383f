"""The part of a script that its model depends on: what to execute so that the model exists, and nothing that trains it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from initcheck.discover import files
from initcheck.discover.slicer import Script, Slicer
from initcheck.records.target import Recipe


@dataclass(frozen=True, slots=True)
class Slice:
    """The statements to execute: `module` compiles to code with the line numbers of the file; `ranges` are the first and last lines kept."""

    recipe: Recipe
    module: ast.Module
    ranges: tuple[tuple[int, int], ...]

    @property
    def skipped(self) -> tuple[str, ...]:
        """What is not executed and matters to the reader."""
        return self.recipe.skipped


def slice_source(source: str, path: str, qualname: str) -> Slice:
    """The statements that one instance, factory or class of a file depends on.

    For an instance this includes what is done to it after it was built and before it is trained (`net.apply(init)`).
    It is a judgement from the text: names that only `exec` or another module puts in place are missed and show as a `NameError` later.

    Raises:
        TargetError: when nothing binds the name, or only a statement that trains does.
        SyntaxError: when the source is not valid Python.
    """
    tree = files.parse(source, path)
    return slice_tree(tree, path, qualname, files.digest(source.encode()))


def slice_tree(tree: ast.Module, path: str, qualname: str, digest: str) -> Slice:
    """As `slice_source`, for source that is parsed already."""
    slicer = Slicer(Script(tree), path, qualname.split(".", maxsplit=1)[0])
    keep = slicer.run()
    line, column, expression = slicer.origin()
    recipe = Recipe(keep, len(tree.body), slicer.skipped(keep), expression, line, column, digest, slicer.unneeded(keep))
    kept = [tree.body[index] for index in keep]
    ranges = tuple((_first_line(statement), statement.end_lineno or statement.lineno) for statement in kept)
    return Slice(recipe, ast.Module(body=kept, type_ignores=[]), ranges)


def _first_line(statement: ast.stmt) -> int:
    marks: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(mark.lineno for mark in marks)])
