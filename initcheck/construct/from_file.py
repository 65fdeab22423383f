"""A model from a file: runs the slice of the file that the model depends on, by the first of its recipes that works."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch

from initcheck.construct.arguments.expression import Made, Unbuilt, make
from initcheck.construct.arguments.literal import build, resolve
from initcheck.construct.blame import explained, whole_program
from initcheck.construct.loader import code_of, fresh_module
from initcheck.construct.made import Construction, Notes, offered_inputs, refuse_size_zero, the_module
from initcheck.construct.stand_ins.evidence import behind
from initcheck.errors import InitcheckError, TargetError
from initcheck.records.source import Location
from initcheck.records.target import Built, Recipe, Target

_FINAL = frozenset({"changed", "file-missing", "encoding", "syntax-error", "unsafe-pickle"})
"""Failures that no other recipe would mend."""


def from_file(target: Target, recipe: Recipe, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    """The model of a file.

    Raises:
        TargetError: the failure of the most faithful recipe, when none works.
    """
    state = torch.get_rng_state()
    first: TargetError | None = None
    for way in (recipe, *target.others):
        if first is not None and first.name == "offline" and way.call.endswith("(...)"):
            continue  # what could not be downloaded is a part of the model; a guess in its place would be another model
        torch.set_rng_state(state)
        try:
            return _built(target, way, watch, notes, first)
        except TargetError as problem:
            first = first or problem
            if problem.name in _FINAL:
                break
    assert first is not None
    raise first


def _built(target: Target, way: Recipe, watch: AbstractContextManager[object], notes: Notes, before: InitcheckError | None) -> Construction:
    script = code_of(target.path, way)
    module = fresh_module(target.path)
    space = module.__dict__
    made: Made | None = None
    with explained(target):
        with watch:
            assumed = _assumed(target, way, space)
            exec(script.before, space)  # noqa: S102  (running the user's slice is what building a model means)
            if way.call:
                made = _called(target, way, space)
                if way.after:
                    space[way.bind] = made.value
            found = made.value if made is not None else resolve(target, space)
            model = build(target, found)
            exec(script.after, space)  # noqa: S102
            if way.after:
                model = space[way.bind]
        inputs = offered_inputs(space)
        checked = the_module(target, model)
    refuse_size_zero(target, checked)
    if before is not None:
        notes.add(f"not built as the script does it: {_cause(target, before)}")
    location = Location(way.seen or target.path, way.line, way.column) if way.line else None
    expression = made.text if made is not None else f"{target.qualname}({target.arguments})" if target.arguments else way.expression
    executed = len(way.keep) + len(way.after)
    guessed = (*assumed, *(made.guessed if made is not None else ()))
    built = Built(expression or target.qualname, location, executed, way.statements, way.skipped, tuple(notes.said), guessed)
    return Construction(checked, built, inputs)


def _assumed(target: Target, way: Recipe, space: dict[str, Any]) -> tuple[str, ...]:
    """Gives the global names that rest on data a plausible value each; returns `name=value` texts."""
    if not way.unknown:
        return ()
    together = f"together({', '.join(f'{name}=...' for name in way.unknown)})"
    try:
        made = make(together, {"together": dict}, _hints(target), lambda thunk: thunk())
    except Unbuilt as failure:
        raise failure.error from failure
    assert isinstance(made.value, dict)
    space.update(made.value)
    return made.guessed


def _hints(target: Target) -> dict[str, tuple[Any, ...]]:
    return {name: (ast.literal_eval(text),) for name, text in target.hints}


def _called(target: Target, way: Recipe, space: dict[str, Any]) -> Made:
    """The value of the call of a recipe, its open arguments filled in."""
    state = torch.get_rng_state()

    def attempt(thunk: Callable[[], object]) -> object:
        torch.set_rng_state(state)
        return thunk()

    try:
        return make(way.call, space, _hints(target), attempt)
    except Unbuilt as failure:
        if not failure.holes or behind(failure.error) is not None:
            raise failure.error from failure
        problem = failure
    raise _needs_arguments(target, way, problem) from problem.error


def _needs_arguments(target: Target, way: Recipe, failure: Unbuilt) -> TargetError:
    where = f"{way.seen or target.path}:{way.line}: " if way.line else ""
    cause = f"{type(failure.error).__name__}: {failure.error}".strip().splitlines()[0]
    message = f"cannot build {target.spec}: nothing tells {', '.join(failure.holes)}\n  {where}{way.call}\n  tried {failure.text}: {cause}"
    name = target.qualname.rsplit(".", 1)[-1]
    hint = f"run it for real up to its first training step: {whole_program(target)}"
    if way.call.startswith(f"{name}("):
        hint = f"put this into {target.path}: def initcheck_model(): return {name}(...)  # with real arguments"
    return TargetError(message, hint, name="needs-args")


def _cause(target: Target, problem: InitcheckError) -> str:
    """The reason of a failure, without what was to be built."""
    first = problem.message.splitlines()[0]
    return first.removeprefix(f"cannot build {target.spec}: ")
