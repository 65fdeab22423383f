"""The line that wrote a parameter: what of it is the tensor, and how it is replaced by an initializing call."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from initcheck.fix.source import calls
from initcheck.fix.source.names import INIT, Names
from initcheck.fix.source.text import Change
from initcheck.fix.source.tree import Tree
from initcheck.records.recording import InitCall
from initcheck.records.source import Location

FACTORIES = ("randn", "rand", "zeros", "ones", "empty")
"""Functions of torch that make a tensor from its sizes alone."""

_VIEWS = frozenset(
    {"t", "view", "flatten", "reshape", "transpose", "permute", "squeeze", "unsqueeze", "detach", "contiguous", "requires_grad_"}
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A write: `node` is replaced as a whole, `tensor` is the expression of what was written.

    kind: `init` (a call whose first argument is the tensor), `method` (an in-place method of it), `made` (the value of a new parameter),
    `assigned` (a statement that assigns into it). `lasting`: the expression still means the parameter behind the statement.
    """

    kind: str
    node: ast.expr | ast.stmt
    statement: ast.stmt
    tensor: str
    lasting: bool


def spot(tree: Tree, names: Names, place: Location, leaf: str) -> Spot | None:
    """The write at a place, None where it has no form that is understood. `leaf` is the parameter's own name."""
    node = tree.at(place)
    if node is None:
        return None
    node = _outermost(tree, node)
    statement = tree.statement(node)
    if isinstance(node, ast.Call):
        found = _called(tree, names, node, statement, leaf)
        if found is not None:
            return found
    made = _new(tree, names, node, statement) if isinstance(node, ast.expr) and _parameter(tree, names, node) is not None else None
    return made or _assigned(tree, statement, leaf)


def replaced(tree: Tree, names: Names, found: Spot, call: InitCall) -> Change | None:
    """The write turned into this call; None where its form does not allow that."""
    source = tree.source
    start, end = source.span(found.node)
    if found.kind == "init" and isinstance(found.node, ast.Call):
        function = found.node.func
        known = names.dotted(function)
        if known.startswith(f"{INIT}.") and calls.is_init(known.rpartition(".")[2]):
            present = known.rpartition(".")[2]
            call = calls.twin(present, call)
            same = present.rstrip("_") == call.name.rstrip("_")
            spelled = source.segment(function) if present == call.name else names.beside(function, call.name)
            tensor = "" if same or source.segment(found.node.args[0] if found.node.args else function) == found.tensor else found.tensor
            return Change(start, end, calls.rewritten(source.segment(found.node), call, spelled, tensor, source.quote))
    if found.kind == "made":
        return _made(tree, names, found, call)
    return Change(start, end, calls.written(call, names.spelled(f"{INIT}.{call.name}"), found.tensor, source.quote))


def _outermost(tree: Tree, node: ast.expr | ast.stmt) -> ast.expr | ast.stmt:
    """The last of the in-place methods that are called one on the result of the other: of `w.normal_().mul_(2)` all of it."""
    while True:
        method = tree.parents.get(node)
        call = tree.parents.get(method) if isinstance(method, ast.Attribute) else None
        if not (isinstance(method, ast.Attribute) and isinstance(call, ast.Call) and call.func is method and isinstance(node, ast.Call)):
            return node
        if not method.attr.endswith("_") or method.attr.endswith("__") or method.attr == "requires_grad_":
            return node
        node = call


def _called(tree: Tree, names: Names, node: ast.Call, statement: ast.stmt, leaf: str) -> Spot | None:
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    known = names.dotted(node.func)
    source = tree.source
    lasting = isinstance(statement, ast.Expr) and statement.value is node
    if (known.startswith("torch.") and known.rpartition(".")[2] in FACTORIES) or _parameter(tree, names, node) is not None:
        return _new(tree, names, node, statement)
    if calls.is_init(known.rpartition(".")[2]) and known.startswith(f"{INIT}."):
        first = node.args[0] if node.args else next((one.value for one in node.keywords if one.arg == "tensor"), None)
        return Spot("init", node, statement, source.segment(_bare(first)), lasting) if first is not None else None
    if method.endswith("_") and not method.endswith("__") and isinstance(node.func, ast.Attribute):
        inner: ast.expr = node.func.value
        while isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr.endswith("_"):
            initial = names.dotted(inner.func).startswith(f"{INIT}.")
            inner = inner.args[0] if initial and inner.args else inner.func.value
        return Spot("method", node, statement, source.segment(_owner(inner, leaf)), lasting)
    if node.args and method != "Parameter" and isinstance(node.args[0], (ast.Attribute, ast.Name, ast.Subscript)) and lasting:
        return Spot("init", node, statement, source.segment(_bare(node.args[0])), lasting)
    return None


def _new(tree: Tree, names: Names, node: ast.expr, statement: ast.stmt) -> Spot | None:
    """The value of a parameter that is made here."""
    outer = _parameter(tree, names, node)
    if outer is None or not outer.args:
        return None if not isinstance(statement, ast.Assign) else _assigned(tree, statement, "")
    target = ""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and statement.value is outer:
        target = tree.source.segment(statement.targets[0])
    elif isinstance(statement, ast.AnnAssign) and statement.value is outer:
        target = tree.source.segment(statement.target)
    return Spot("made", outer.args[0], statement, target, bool(target))


def _parameter(tree: Tree, names: Names, node: ast.AST) -> ast.Call | None:
    """The call of `nn.Parameter` that a value is for."""
    for outer in tree.above(node):
        if isinstance(outer, ast.Call) and names.dotted(outer.func).rpartition(".")[2] == "Parameter":
            return outer
        if isinstance(outer, ast.stmt):
            return None
    return None


def _made(tree: Tree, names: Names, found: Spot, call: InitCall) -> Change | None:
    """Another value for a new parameter: by another function of torch where that says it all, else drawn into an empty tensor."""
    factory = _factory(found.node, names)
    if factory is None or not isinstance(factory.func, (ast.Attribute, ast.Name)):
        return None
    source = tree.source
    start, end = source.span(found.node)
    package = source.segment(factory.func.value) + "." if isinstance(factory.func, ast.Attribute) else ""
    opening = source.span(factory.func)[1]
    sizes = source.text[opening : source.span(factory)[1]]

    def made(name: str) -> str:
        return f"{package or names.spelled('torch.empty')[: -len('empty')]}{name}{sizes}"

    if call.name in ("zeros_", "ones_"):
        return Change(start, end, made(call.name.rstrip("_")))
    if call.name == "normal_" and not call.argument("mean", 0.0):
        std = call.argument("std", 1.0)
        return Change(start, end, made("randn") + ("" if std == 1 else f" * {calls.literal(std)}"))
    return Change(start, end, calls.written(call, names.spelled(f"{INIT}.{call.name}"), made("empty"), source.quote))


def _factory(value: ast.AST, names: Names) -> ast.Call | None:
    """The one call in a value that makes the tensor, provided that all the rest of it are numbers."""
    if isinstance(value, ast.BinOp):
        left, right = _factory(value.left, names), _factory(value.right, names)
        if left is not None and right is None and _number(value.right):
            return left
        return right if right is not None and left is None and _number(value.left) else None
    if not isinstance(value, ast.Call) or any(one.arg in ("generator", "out") for one in value.keywords):
        return None
    known = names.dotted(value.func)
    return value if known.startswith("torch.") and known.split(".")[-1] in FACTORIES and known.count(".") == 1 else None


def _number(value: ast.expr) -> bool:
    """Whether an expression is surely a number: literals, names, roots and powers of such."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Attribute) and value.func.attr == "sqrt" and all(map(_number, value.args))
    if isinstance(value, ast.BinOp):
        return _number(value.left) and _number(value.right)
    if isinstance(value, ast.UnaryOp):
        return _number(value.operand)
    return isinstance(value, (ast.Constant, ast.Name)) or (isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name))


def _assigned(tree: Tree, statement: ast.stmt, leaf: str) -> Spot | None:
    """`w.data = value`, `w[:8] = 1`, `w *= 2`."""
    target: ast.expr
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AugAssign):
        target = statement.target
    else:
        return None
    data = isinstance(target, ast.Attribute) and target.attr == "data"
    if not (data or isinstance(target, ast.Subscript) or isinstance(statement, ast.AugAssign)):
        return None
    return Spot("assigned", statement, statement, tree.source.segment(_owner(target, leaf)), lasting=True)


def _owner(node: ast.expr, leaf: str) -> ast.expr:
    """The parameter in an expression for it or a part of it."""
    node = _bare(node)
    while isinstance(node, ast.Subscript):
        inner = _bare(node.value)
        own = isinstance(inner, ast.Attribute) and inner.attr == leaf
        if not own and not isinstance(node.slice, (ast.Slice, ast.Tuple)) and not _ellipsis(node.slice):
            break
        node = inner
    return node


def _ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _bare(node: ast.expr) -> ast.expr:
    """Without `.data`, views and the like at its end."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr in ("data", "T", "mT"):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
            node = node.func.value
        else:
            return node
