"""Initializing calls that came to nothing: made to reach the parameter itself, moved to the end, or aimed at the right class."""

from __future__ import annotations

import ast

from initcheck.fix.source.correcting import Desk, Patch, writers
from initcheck.fix.source.model import Model
from initcheck.fix.source.placing import removed
from initcheck.fix.source.text import Change
from initcheck.fix.source.tree import FUNCTIONS, Tree
from initcheck.records.finding import Finding
from initcheck.records.recording import Undone
from initcheck.records.source import Location

_COPIES = frozenset({"clone", "cpu", "cuda", "to", "float", "double", "half", "bfloat16", "contiguous"})
_OPERATORS = {ast.Mult: "*=", ast.Div: "/=", ast.Add: "+=", ast.Sub: "-="}
_PLACED = frozenset({"mul", "div", "add", "sub", "normal", "uniform", "clamp", "fill", "zero"})


def in_place(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """A call whose result is in no tensor of the model: without the copy in between, or in the form that writes."""
    lost = [one for one in model.report.recording.discarded if one.location == finding.location] if model.report.recording else []
    if finding.location is None or not lost or lost[0].how not in ("copy", "dropped", "computed"):
        return None
    source, inside = desk.files.located(finding.location)
    tree = desk.tree(source)
    node = tree.at(inside)
    if node is None:
        return None
    ways = {"copy": _uncopied, "dropped": _kept, "computed": _behind_computed}
    change = ways[lost[0].how](tree, node, finding.parameters)
    if change is None:
        return None
    patch = Patch()
    patch.add(source.path, change)
    return patch


def last(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """A call that a later pass undoes, moved behind that pass."""
    undone = [one for one in model.report.recording.undone if one.lost.location.known()] if model.report.recording else []
    mine = [one for one in undone if one.lost.location.get() == finding.location and one.by.location.known()]
    if finding.location is None or not mine:
        return None
    source, inside = desk.files.located(finding.location)
    tree = desk.tree(source)
    node = tree.at(inside)
    if node is None or not _only(finding.location, finding, model):
        return None
    statement = tree.statement(node)
    passing = _passing(tree, statement, mine[0], desk)
    if passing is None or not tree.alone(statement) or not isinstance(statement, ast.Expr):
        return None
    gone = removed(tree, statement)
    if gone is None:
        return None
    rows = [source.line(number) for number in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)]
    patch = Patch()
    patch.add(source.path, gone, source.after_line(passing.end_lineno or passing.lineno, rows))
    return patch


def matching(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """The one `isinstance` of an initializing function that matched no module, extended by the classes that there are."""
    applied = [one for one in model.report.recording.applied if one.location == finding.location] if model.report.recording else []
    if finding.location is None or len(applied) != 1 or len(applied[0].tests) != 1:
        return None
    source, _ = desk.files.located(finding.location)
    tree, names = desk.tree(source), desk.spelling(source)
    function = tree.named(applied[0].function)
    if not isinstance(function, FUNCTIONS):
        return None
    torches = {kind for module in model.report.modules if not module.file for kind in module.kinds[:1]}
    present = [kind for kind in applied[0].present if kind in torches]
    tests = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and names.dotted(node.func) == "isinstance" and len(node.args) == 2
    ]
    if len(tests) != 1 or not present or isinstance(tests[0].args[1], ast.Tuple):
        return None
    start, end = source.span(tests[0].args[1])
    spelled = [names.spelled(f"torch.nn.{kind}") for kind in present]
    patch = Patch()
    patch.add(source.path, Change(start, end, f"({', '.join([source.segment(tests[0].args[1]), *spelled])})"))
    return patch


def _uncopied(tree: Tree, node: ast.AST, _: tuple[str, ...]) -> Change | None:
    """The tensor of a call without the copying methods behind it."""
    if not isinstance(node, ast.Call):
        return None
    outer: ast.expr = node.args[0] if node.args else node
    if not node.args or (isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_") and _ends_in_copy(node.func.value)):
        outer = node.func.value if isinstance(node.func, ast.Attribute) else outer
    inner = outer
    while isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in (*_COPIES, "detach"):
        inner = inner.func.value
    if inner is outer or not isinstance(inner, (ast.Attribute, ast.Subscript, ast.Name)):
        return None
    start, end = tree.source.span(outer)
    return Change(start, end, tree.source.segment(inner))


def _behind_computed(tree: Tree, node: ast.AST, parameters: tuple[str, ...]) -> Change | None:
    """The parameter that a weight is computed from, in the place of that weight: `weight` becomes `parametrizations.weight.original1`."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    tensor = node.args[0]
    if isinstance(tensor, ast.Attribute) and tensor.attr == "data":
        tensor = tensor.value
    if not isinstance(tensor, ast.Attribute):
        return None
    tails = {name[name.rfind("parametrizations.") :] if "parametrizations." in name else name.rpartition(".")[2] for name in parameters}
    tail = tails.pop() if len(tails) == 1 else ""
    if not (tail.startswith(f"parametrizations.{tensor.attr}.") or tail == f"{tensor.attr}_v"):
        return None
    return Change(*tree.source.span(tensor), f"{tree.source.segment(tensor.value)}.{tail}")


def _ends_in_copy(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _COPIES


def _kept(tree: Tree, node: ast.AST, _: tuple[str, ...]) -> Change | None:
    """`w * 0.1` as `w *= 0.1`, `w.mul(0.1)` as `w.mul_(0.1)`, where the result was dropped."""
    statement = tree.statement(node)
    if not isinstance(statement, ast.Expr):
        return None
    value, source = statement.value, tree.source
    start, end = source.span(value)
    if isinstance(value, ast.BinOp) and type(value.op) in _OPERATORS and isinstance(value.left, (ast.Attribute, ast.Subscript)):
        if not (isinstance(value.left, ast.Attribute) and value.left.attr == "data"):
            return None
        return Change(start, end, f"{source.segment(value.left)} {_OPERATORS[type(value.op)]} {source.segment(value.right)}")
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _PLACED:
        at = source.span(value.func)[1]
        return Change(at, at, "_")
    return None


def _only(place: Location, finding: Finding, model: Model) -> bool:
    """Whether the line writes nothing that still counts; moving it would otherwise change more than what was lost."""
    return not writers(model).get(place, set()) - set(finding.parameters)


def _passing(tree: Tree, statement: ast.stmt, undone: Undone, desk: Desk) -> ast.stmt | None:
    """The later statement of the same block that the undoing write comes from."""
    by = undone.by.location.get()
    source, inside = desk.files.located(by)
    name = by.function.rpartition(".")[2]
    block = tree.block(statement)
    for later in block[block.index(statement) + 1 :]:
        if source is tree.source and tree.contains(later, inside):
            return later
        mentioned = {node.attr for node in ast.walk(later) if isinstance(node, ast.Attribute)}
        mentioned |= {node.id for node in ast.walk(later) if isinstance(node, ast.Name)}
        if name in mentioned:
            return later
    return None
