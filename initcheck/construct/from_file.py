"""A model from a file: runs the slice of the file that the model depends on."""

from __future__ import annotations

from contextlib import AbstractContextManager

from initcheck.construct.arguments.literal import build, resolve
from initcheck.construct.blame import explained
from initcheck.construct.loader import code_of, fresh_module
from initcheck.construct.made import Construction, Notes, offered_inputs, the_module
from initcheck.records.source import Location
from initcheck.records.target import Built, Recipe, Target


def from_file(target: Target, recipe: Recipe, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    """The model of a file."""
    code = code_of(target.path, recipe)
    module = fresh_module(target.path)
    with explained(target):
        with watch:
            exec(code, module.__dict__)  # noqa: S102  (running the user's slice is what building a model means)
            model = build(target, resolve(target, module.__dict__))
        inputs = offered_inputs(module.__dict__)
    location = Location(target.path, recipe.line, recipe.column) if recipe.line else None
    expression = f"{target.qualname}({target.arguments})" if target.arguments else recipe.expression or target.qualname
    built = Built(expression, location, len(recipe.keep), recipe.statements, recipe.skipped, tuple(notes.said))
    return Construction(the_module(target, model), built, inputs)
