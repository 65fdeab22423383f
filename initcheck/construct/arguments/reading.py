"""What the source does with a parameter, followed through attributes of `self`, local names, methods, classes and layers."""

from __future__ import annotations

import ast
from typing import Any

from initcheck.construct.arguments.calls_read import read_call
from initcheck.construct.arguments.holes import Uses
from initcheck.construct.arguments.sources import Scope, Sources, function_of, path_of, static

_DEPTH = 6
_STRING = frozenset("lower upper split startswith endswith strip replace format title capitalize".split())
_LIST = frozenset("append extend index insert pop reverse sort".split())
_TENSOR = frozenset("size numel dim float long clone detach ndim astype".split())


class Reader:
    """Reads the uses of parameters; each is read once."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._read: dict[tuple[object, str], Uses] = {}

    def parameter(self, thing: Any, name: str) -> Uses:
        """What a function, or the constructor of a class, does with a parameter."""
        function = function_of(thing)
        key = (function.__code__ if function is not None else None, name)
        if key not in self._read:
            uses = self._read[key] = Uses()
            self.follow(uses, thing, name, 0)
        return self._read[key]

    def follow(self, uses: Uses, thing: Any, name: str, depth: int) -> None:
        """Adds what a callee does with one of its parameters."""
        scope = self.sources.scope(thing) if depth < _DEPTH else None
        if scope is not None:
            Walk(self, uses, depth, set()).names(scope, name)


class Walk:
    """Adds to the uses of one value what the nodes that stand for it are part of."""

    def __init__(self, reader: Reader, uses: Uses, depth: int, seen: set[tuple[int, str, int]]) -> None:
        self.reader = reader
        self.uses = uses
        self.depth = depth
        self.seen = seen

    def on(self, uses: Uses) -> Walk:
        """The same walk for a part of the value."""
        return Walk(self.reader, uses, self.depth, self.seen)

    def names(self, scope: Scope, path: str) -> None:
        """Every place where a dotted path stands; one of `self` is looked up in the whole class."""
        key = (id(scope.node), path, id(self.uses))
        if key in self.seen:
            return
        self.seen.add(key)
        scopes = [scope]
        if path.startswith("self.") and scope.owner is not None:
            scopes = self.reader.sources.methods(scope.owner, scope.space, scope.space.get("__file__", ""))
        for each in scopes:
            for node in each.paths.get(path, ()):
                if isinstance(getattr(node, "ctx", None), ast.Load):
                    self.node(node, each)

    def node(self, node: ast.expr, scope: Scope) -> None:
        """One place where the value stands."""
        parent = scope.parents.get(node)
        reader = getattr(self, f"_in_{type(parent).__name__.lower()}", None)
        if reader is not None:
            reader(parent, node, scope)

    def _in_attribute(self, parent: ast.Attribute, _: ast.expr, scope: Scope) -> None:
        call = scope.parents.get(parent)
        if isinstance(call, ast.Call) and call.func is parent:
            if parent.attr in _STRING:
                return self.uses.add("str")
            if parent.attr in _LIST:
                return self.uses.add("list")
            if parent.attr in _TENSOR:
                return self.uses.add("tensor")
            if parent.attr in ("get", "pop", "setdefault") and call.args and isinstance(call.args[0], ast.Constant):
                self.uses.add("object")
                self.uses.keyed = True
                name = str(call.args[0].value)
                self.on(self.uses.part(name)).node(call, scope)
                return (self.uses.optional if len(call.args) > 1 or call.keywords else self.uses.demanded).add(name)
            if parent.attr in ("items", "keys", "values"):
                self.uses.keyed = True
                return self.uses.add("object")
        if isinstance(parent.ctx, ast.Load):
            self.uses.add("object")
            self.uses.demanded.add(parent.attr)
            self.on(self.uses.part(parent.attr)).node(parent, scope)
        return None

    def _in_subscript(self, parent: ast.Subscript, node: ast.expr, scope: Scope) -> None:
        if node is parent.slice:
            self._key(parent, scope)
        elif isinstance(parent.slice, ast.Constant) and isinstance(parent.slice.value, str):
            self.uses.add("object")
            self.uses.keyed = True
            if isinstance(parent.ctx, ast.Load):
                self.uses.demanded.add(parent.slice.value)
                self.on(self.uses.part(parent.slice.value)).node(parent, scope)
        elif isinstance(static(parent.slice, scope.space), str):
            self.uses.keyed = True
            self.uses.add("object")
        else:
            self.uses.add("list")
            index = _integer(parent.slice)
            if index is not None:
                self.uses.length = max(self.uses.length, index + 1 if index >= 0 else -index)
            if not isinstance(parent.slice, ast.Slice):
                self.on(self.uses.item()).node(parent, scope)

    def _key(self, parent: ast.Subscript, scope: Scope) -> None:
        table = parent.value
        if isinstance(table, ast.Name) and table.id not in scope.space:
            table = _bound(scope, table.id) or table
        if isinstance(table, ast.Dict):
            self.uses.choose(*(key.value for key in table.keys if isinstance(key, ast.Constant)))
        elif isinstance(table, (ast.List, ast.Tuple)):
            self.uses.add("int")
            self.uses.choose(*range(len(table.elts)))
        else:
            found = static(table, scope.space)
            if isinstance(found, dict):
                self.uses.choose(*(key for key in found if isinstance(key, (str, int, float))))

    def _in_call(self, parent: ast.Call, node: ast.expr, scope: Scope) -> None:
        if node is parent.func:
            init = scope.node.name not in ("forward", "training_step", "sample", "encode", "decode")
            if not parent.args and not parent.keywords:
                self.uses.add("bare")
            return self.uses.add("constructs" if init else "called")
        return read_call(self, parent, node, scope)

    def _in_keyword(self, parent: ast.keyword, node: ast.expr, scope: Scope) -> None:
        call = scope.parents.get(parent)
        if isinstance(call, ast.Call):
            if parent.arg is None:
                self.uses.keyed = True
                self.uses.add("object")
            else:
                read_call(self, call, node, scope, parent.arg)

    def _in_starred(self, parent: ast.Starred, _: ast.expr, scope: Scope) -> None:
        self.uses.add("list")
        self.uses.add("spread")
        call = scope.parents.get(parent)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(("Sequential", "ModuleList")):
            self.uses.item().add("module")

    def _in_for(self, parent: ast.For | ast.comprehension, node: ast.expr, scope: Scope) -> None:
        if node is parent.iter:
            self.elements(parent.target, scope)

    _in_comprehension = _in_for

    def elements(self, target: ast.expr, scope: Scope) -> None:
        """The names that stand for the elements of the value."""
        self.uses.add("list")
        if isinstance(target, (ast.Tuple, ast.List)):
            self.uses.arity = len(target.elts)
            for index, part in enumerate(target.elts):
                name = path_of(part) or str(index)
                self.on(self.uses.item().part(name)).names(scope, name)
        elif isinstance(target, ast.Name):
            self.on(self.uses.item()).names(scope, target.id)

    def _in_compare(self, parent: ast.Compare, node: ast.expr, scope: Scope) -> None:
        others = [item for item in (parent.left, *parent.comparators) if item is not node]
        for operator, other in zip(parent.ops, others, strict=False):
            if isinstance(other, ast.Constant) and other.value is None:
                self.uses.nullable = True
            elif isinstance(operator, (ast.Eq, ast.NotEq)) and isinstance(other, ast.Constant):
                if isinstance(other.value, str):
                    self.uses.choose(other.value)
                    self.uses.add("str")
            elif isinstance(operator, (ast.In, ast.NotIn)):
                self._member(parent, node, other, scope)
            elif isinstance(operator, (ast.Lt, ast.Gt, ast.LtE, ast.GtE)):
                self.uses.add("number")

    def _member(self, parent: ast.Compare, node: ast.expr, other: ast.expr, scope: Scope) -> None:
        if node is not parent.left:
            if isinstance(parent.left, ast.Constant):
                self.uses.optional.add(str(parent.left.value))
            else:
                self.uses.add("list")
            return
        if isinstance(other, (ast.List, ast.Tuple, ast.Set)):
            self.uses.choose(*(item.value for item in other.elts if isinstance(item, ast.Constant)))
        else:
            found = static(other, scope.space)
            if isinstance(found, (dict, list, tuple, set, frozenset)):
                self.uses.choose(*(item for item in found if isinstance(item, (str, int))))

    def _in_binop(self, parent: ast.BinOp, node: ast.expr, scope: Scope) -> None:
        other = parent.right if node is parent.left else parent.left
        if isinstance(parent.op, (ast.FloorDiv, ast.Mod)) and node is parent.left:
            self.uses.divisors.append(path_of(other).rsplit(".", 1)[-1] or ast.unparse(other))
            self.uses.add("int")
        elif isinstance(parent.op, ast.Pow) and node is parent.right:
            self.uses.add("exponent")
        elif isinstance(parent.op, ast.Add) and isinstance(other, (ast.List, ast.Tuple, ast.ListComp)):
            self.uses.add("list")
        elif isinstance(parent.op, ast.Add) and isinstance(other, ast.Constant) and isinstance(other.value, str):
            self.uses.add("str")
        elif isinstance(parent.op, ast.Mult) and isinstance(other, ast.List):
            self.uses.add("int")
        else:
            self.uses.add("number")
            above = scope.parents.get(parent)
            if isinstance(parent.op, (ast.Add, ast.Sub)) and isinstance(above, ast.BinOp):
                self._in_binop(above, parent, scope)

    def _passed(self, parent: ast.expr, _: ast.expr, scope: Scope) -> None:
        self.node(parent, scope)

    _in_namedexpr = _passed

    def _in_boolop(self, parent: ast.BoolOp, _: ast.expr, scope: Scope) -> None:
        if isinstance(parent.op, ast.Or) and not isinstance(scope.parents.get(parent), (ast.If, ast.IfExp)):
            self.uses.nullable = True
            self.node(parent, scope)
        else:
            self.uses.add("flag")

    def _in_ifexp(self, parent: ast.IfExp, node: ast.expr, scope: Scope) -> None:
        if node is parent.test:
            self.uses.add("flag")
        else:
            self.node(parent, scope)

    def _flag(self, *_: Any) -> None:
        self.uses.add("flag")

    _in_if = _in_while = _flag

    def _in_unaryop(self, parent: ast.UnaryOp, *_: Any) -> None:
        self.uses.add("flag" if isinstance(parent.op, ast.Not) else "number")

    def _in_assign(self, parent: ast.Assign, _: ast.expr, scope: Scope) -> None:
        for target in parent.targets:
            self._bind(target, scope)

    def _in_annassign(self, parent: ast.AnnAssign, _: ast.expr, scope: Scope) -> None:
        self._bind(parent.target, scope)

    def _bind(self, target: ast.expr, scope: Scope) -> None:
        path = path_of(target)
        if path:
            self.names(scope, path)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.uses.add("list")
            self.uses.length = max(self.uses.length, len(target.elts))
            self.uses.exact = True

    def _in_tuple(self, parent: ast.Tuple | ast.List, node: ast.expr, scope: Scope) -> None:
        above = scope.parents.get(parent)
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Tuple) and len(above.targets[0].elts) == len(parent.elts):
            self._bind(above.targets[0].elts[parent.elts.index(node)], scope)

    _in_list = _in_tuple


def _integer(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _integer(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _bound(scope: Scope, name: str) -> ast.expr | None:
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Assign) and any(path_of(target) == name for target in node.targets):
            return node.value
    return None
