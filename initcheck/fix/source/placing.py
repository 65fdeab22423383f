"""Where new lines go: at the end of a constructor, into a method or function of their own, or behind the statement that makes the model."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from initcheck.fix.source.text import Change
from initcheck.fix.source.tree import FUNCTIONS, Function, Tree
from initcheck.records.report import STARTS
from initcheck.records.rewriting import Where
from initcheck.records.source import Location

FEW = 2
"""So many lines go into the constructor itself; more get a method."""

Build = Callable[[str], list[str]]
"""Gives the lines for a name of the model."""


def in_class(tree: Tree, qualname: str, build: Build, where: Where, taken: Sequence[str]) -> list[Change] | None:
    """The lines at the end of a class's start; None where the class has no constructor that can be added to.

    `taken` are names of methods that the class inherits.
    """
    owner = tree.named(qualname)
    if not isinstance(owner, ast.ClassDef):
        return None
    start = _method(owner, "__init__") or _method(owner, "__post_init__")
    if start is None or not start.args.args or start.body[0].lineno == start.lineno:
        return None
    this = start.args.args[0].arg
    existing = _called_start(owner, start, this)
    if existing is not None and where != "inline":
        return [_at_end(tree, existing, build(existing.args.args[0].arg))]
    lines = build(this)
    if where == "inline" or len(lines) <= FEW:
        return [_at_end(tree, start, lines)]
    return _with_method(tree, owner, start, build, taken)


def applied(tree: Tree, qualname: str, name: str, lines: list[str]) -> list[Change] | None:
    """A function of the module, called `name`, in front of the class, and its application at the end of the constructor."""
    owner = tree.named(qualname)
    if not isinstance(owner, ast.ClassDef):
        return None
    start = _method(owner, "__init__")
    if start is None or not start.args.args or start.body[0].lineno == start.lineno:
        return None
    top: ast.stmt = next((node for node in [owner, *tree.above(owner)] if node in tree.source.tree.body), owner)
    first = min([top.lineno, *(one.lineno for one in getattr(top, "decorator_list", []))])
    while first > 1 and tree.source.line(first - 1).startswith("#"):
        first -= 1
    unit = tree.source.unit
    above = [f"def {name}(module):", *(unit + line for line in lines), "", ""]
    return [tree.source.before_line(first, above), _at_end(tree, start, [f"{start.args.args[0].arg}.apply({name})"])]


def behind(tree: Tree, statement: ast.stmt, name: str, build: Build, places: Iterable[Location]) -> list[Change] | None:
    """The lines behind the statement that makes the model, and behind whatever writes its parameters in the same block later.

    `name` is what the statement calls the model; empty for a `return` of the bare expression, which is then given one.
    """
    source = tree.source
    if not tree.alone(statement):
        return None
    if isinstance(statement, ast.Return):
        indent = source.indent(statement.lineno)
        if name:
            return [source.before_line(statement.lineno, source.indented(indent, build(name)))]
        if statement.value is None:
            return None
        start, value = source.span(statement)[0], source.span(statement.value)[0]
        end = source.after_line(
            statement.end_lineno or statement.lineno, [*source.indented(indent, build("model")), f"{indent}return model"]
        )
        return [Change(start, value, "model = "), end]
    places = list(places)
    block = tree.block(statement)
    last = statement
    for later in block[block.index(statement) + 1 :]:
        if any(tree.contains(later, place) for place in places) or _calls_writer(tree, later, name, places):
            last = later
    indent = source.indent(statement.lineno)
    return [source.after_line(last.end_lineno or last.lineno, source.indented(indent, build(name)))]


def model_statement(tree: Tree, place: Location | None, qualname: str, expression: str) -> tuple[ast.stmt, str] | None:
    """The statement that makes the model, and the name it gives it (empty for a `return` of something without a name)."""
    function = tree.named(qualname) if qualname else None
    if isinstance(function, FUNCTIONS):
        returns = [node for node in ast.walk(function) if isinstance(node, ast.Return) and tree.function(node) is function]
        if not returns or returns[-1].value is None:
            return None
        value = returns[-1].value
        return returns[-1], value.id if isinstance(value, ast.Name) else ""
    node = tree.at(place) if place is not None and place.line else None
    if node is None:
        return None
    statement = tree.statement(node)
    if isinstance(statement, ast.Return):
        return statement, ""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement, statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name) and _is_model(statement.value, tree, expression):
        return statement, statement.targets[0].id
    return None


def inner_factory(tree: Tree, statement: ast.stmt, makers: Iterable[str]) -> tuple[ast.stmt, str] | None:
    """What `model_statement` gives for the function of this file that a statement gets the model from, if that made all its layers.

    `makers` are the qualified names of the functions that made them.
    """
    value = getattr(statement, "value", None)
    name = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
    if not name or not isinstance(tree.named(name), FUNCTIONS) or any(maker.split(".")[0] != name for maker in makers):
        return None
    found = model_statement(tree, None, name, "")
    return found and (inner_factory(tree, found[0], makers) or found)


def removed(tree: Tree, statement: ast.stmt) -> Change | None:
    """A statement taken out with its lines, or turned into `pass` where nothing else stands in its block."""
    source = tree.source
    if not tree.alone(statement):
        return None
    start, end = source.span(statement)
    if len(tree.block(statement)) == 1:
        return Change(start, end, "pass")
    last = statement.end_lineno or statement.lineno
    first = source.starts[statement.lineno - 1]
    if last < len(source.starts):
        return Change(first, source.starts[last], "")
    return Change(first - len(source.newline), len(source.text), "")


def _is_model(value: ast.expr, tree: Tree, expression: str) -> bool:
    while (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("to", "cuda", "cpu", "train", "eval")
    ):
        value = value.func.value
    if not expression or tree.source.segment(value) == expression:
        return True
    try:
        said = ast.parse(expression, mode="eval").body
    except SyntaxError:
        return False
    # the arguments may have been guessed; the class is the same
    calls = isinstance(said, ast.Call) and isinstance(value, ast.Call)
    return ast.unparse(said.func) == ast.unparse(value.func) if calls else ast.unparse(said) == ast.unparse(value)  # type: ignore[attr-defined]


def _calls_writer(tree: Tree, statement: ast.stmt, name: str, places: Sequence[Location]) -> bool:
    """Whether a statement applies something to the model, or hands it to a function of this file that writes its parameters."""
    for node in ast.walk(statement):
        if not isinstance(node, ast.Call):
            continue
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "apply"
            and tree.source.segment(node.func.value).split(".")[0] == name
        ):
            return True
        if isinstance(node.func, ast.Name) and any(isinstance(one, ast.Name) and one.id == name for one in node.args):
            called = tree.named(node.func.id)
            if called is not None and any(tree.contains(called, place) for place in places):
                return True
    return False


def _method(owner: ast.ClassDef, name: str) -> Function | None:
    return next((node for node in owner.body if isinstance(node, FUNCTIONS) and node.name == name), None)


def _called_start(owner: ast.ClassDef, start: Function, this: str) -> Function | None:
    """The method without arguments that the constructor calls to start the weights."""
    for node in ast.walk(start):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
            called = node.func
            method = _method(owner, called.attr) if isinstance(called.value, ast.Name) and called.value.id == this else None
            if method is not None and called.attr in STARTS and len(method.args.args) == 1 and method.body[0].lineno != method.lineno:
                return method
    return None


def _at_end(tree: Tree, function: Function, lines: list[str]) -> Change:
    """Lines at the end of a function, before a `return` that ends it."""
    last = function.body[-1]
    indent = tree.source.indent(function.body[0].lineno)
    indented = tree.source.indented(indent, lines)
    if isinstance(last, ast.Return):
        return tree.source.before_line(last.lineno, indented)
    return tree.source.after_line(last.end_lineno or last.lineno, indented)


def _with_method(tree: Tree, owner: ast.ClassDef, start: Function, build: Build, taken: Sequence[str]) -> list[Change]:
    own = {node.name for node in owner.body if isinstance(node, FUNCTIONS)}
    names = ("_init_weights", "_start_weights", "_draw_weights")
    name = next((one for one in names if one not in own and one not in taken), "_start_layers")
    outer, inner = tree.source.indent(start.lineno), tree.source.indent(start.body[0].lineno)
    returns = " -> None" if start.returns is not None else ""
    this = start.args.args[0].arg
    method = ["", f"{outer}def {name}({this}){returns}:", *tree.source.indented(inner, build(this))]
    call = _at_end(tree, start, [f"{this}.{name}()"])
    return [call, tree.source.after_line(start.end_lineno or start.lineno, method)]
