"""From a target to what its source says of it: the module tree with its writes, and the operations of its forward pass."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import Any

from initcheck.discover import files
from initcheck.discover.static.reader import calls, expressions, statements
from initcheck.discover.static.reader.attributes import attribute
from initcheck.discover.static.reader.machine import Broke, Continued, Machine, Op, Raised, Returned, TooMuch
from initcheck.discover.static.reader.values import Class, Function, Method, Opaque, Scope, Thing, Value, signals
from initcheck.errors import TargetError
from initcheck.records.target import Recipe, Target
from initcheck.source.flattening import flattened, is_main_guard

MADE = "<made>"
"""The name under which the value of a recipe's call is kept."""


@dataclass(frozen=True, slots=True)
class Read:
    """A model as its source describes it. `notes` tell what could not be read."""

    model: Thing
    machine: Machine
    ops: tuple[Op, ...]
    returned: tuple[int, ...]
    notes: tuple[str, ...] = ()


def read(target: Target) -> Read:
    """Reads the file of a target, by the first of its recipes that the text follows.

    Raises:
        TargetError: when the file cannot be read, or the text does not say what the target is.
    """
    source = files.read(target.path)
    first: TargetError | None = None
    ways = (target.recipe, *target.others) if target.recipe is not None else (None,)
    for recipe in ways:
        try:
            return _read(target, source.tree, recipe)
        except TargetError as problem:
            first = first or problem
    assert first is not None
    raise first


def _read(target: Target, whole: ast.Module, recipe: Recipe | None) -> Read:
    tree = flattened(whole, recipe.chain) if recipe is not None and recipe.chain else whole
    machine = _machine(target.path, tree)
    try:
        _top_level(machine, tree, recipe)
        model = _model(machine, target, recipe)
        returned, notes = _forward(machine, model)
    except (TooMuch, RecursionError) as error:
        raise TargetError(f"{target.spec} is too large to be read: {error}", "check it without --static", name="not-readable") from error
    return Read(model, machine, tuple(machine.ops), returned, notes)


def _machine(path: str, tree: ast.Module) -> Machine:
    machine = Machine(path, tree)
    machine.read = lambda node, scope: expressions.value(machine, node, scope)
    machine.run = lambda body, scope: statements.run(machine, body, scope)
    machine.call = calls.call
    return machine


def _top_level(machine: Machine, tree: ast.Module, recipe: Recipe | None) -> None:
    """Reads the statements that the recipe keeps; without one, what defines something."""
    plain = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Try, ast.If)
    keep = set(recipe.keep) if recipe is not None else set()
    body = [
        statement
        for index, statement in enumerate(tree.body)
        if not is_main_guard(statement)
        and (index in keep or (recipe is None and isinstance(statement, plain)) or isinstance(statement, plain[:4]))
    ]
    _guarded(machine, body)
    if recipe is not None and recipe.call:
        call: Any = _expression(recipe.call)
        for node in (inner for inner in ast.walk(call) if isinstance(inner, ast.expr)) if call is not None else ():
            node.lineno = node.end_lineno = recipe.line
        machine.world.names[recipe.bind or MADE] = machine.read(call, machine.world) if call is not None else Opaque("the call")
        _guarded(machine, [tree.body[index] for index in recipe.after])


def _guarded(machine: Machine, body: list[ast.stmt]) -> None:
    try:
        machine.run(body, machine.world)
    except (Raised, Returned, Broke, Continued) as ending:
        machine.world.names["<ended>"] = str(ending)


def _expression(text: str) -> ast.expr | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text, mode="eval").body
        except SyntaxError:
            return None


def _model(machine: Machine, target: Target, recipe: Recipe | None) -> Thing:
    """The object that the target names."""
    root, *rest = target.qualname.split(".")
    if recipe is not None and (recipe.call or recipe.chain):
        root, rest = recipe.bind or (MADE if recipe.call else target.qualname.rsplit(".", 1)[-1]), []
    found: Value = machine.world.names.get(root)
    node: ast.AST = getattr(found, "node", None) or ast.Constant(value=None, lineno=recipe.line if recipe is not None else 1, col_offset=0)
    for name in rest:
        found = attribute(machine, found, name, node)
    if isinstance(found, (Class, Function, Method)):
        positional, keywords = _arguments(machine, target)
        found = machine.call(machine, found, positional, keywords, node)
    if isinstance(found, Thing) and found.module:
        return found
    why = f": {found.reason}" if isinstance(found, Opaque) else ""
    raise TargetError(f"the source alone does not say what {target.spec} is{why}", "check it without --static", name="not-readable")


def _arguments(machine: Machine, target: Target) -> tuple[list[Value], dict[str, Value]]:
    call = _expression(f"f({target.arguments})") if target.arguments else None
    if not isinstance(call, ast.Call):
        return [], {}
    world = Scope()
    keywords = {item.arg: machine.read(item.value, world) for item in call.keywords if item.arg is not None}
    return [machine.read(argument, world) for argument in call.args], keywords


def _forward(machine: Machine, model: Thing) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Follows the forward pass; gives the operations whose results it returns, and why it could not be followed."""
    before = machine.steps
    machine.steps = 0
    arguments = _inputs(machine, model)
    if arguments is None:
        return (), ("the source shows no forward pass that can be followed",)
    deeds, machine.deeds = machine.deeds, 0
    node = model.cls.node if model.cls is not None else ast.Constant(value=None, lineno=0, col_offset=0)
    result = calls.applied(machine, model, arguments, {}, node)
    machine.steps, machine.deeds = before, deeds
    return signals(result, *(result.attributes.values() if isinstance(result, Thing) else ())), ()


def _inputs(machine: Machine, model: Thing) -> list[Value] | None:
    """One signal for each input without a default."""
    if model.cls is None:
        return [machine.op("input")] if model.dotted == "torch.nn.Sequential" or model.dotted else None
    forward = attribute(machine, model, "forward", model.cls.node)
    if not isinstance(forward, Function) or isinstance(forward.node, ast.Lambda):
        return [machine.op("input")] if model.dotted == "torch.nn.Sequential" else None
    arguments = forward.node.args
    names = [*arguments.posonlyargs, *arguments.args][1 if forward.owner is not None else 0 :]
    needed = max(len(names) - len(arguments.defaults), min(len(names), 1))
    return [machine.op("input") for _ in range(max(needed, 1 if arguments.vararg is not None else needed))]
