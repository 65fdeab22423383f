"""Evaluates the expression that builds a model, without `eval`: names, attributes, literals, calls, arithmetic, subscripts, displays."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping
from typing import Any

from initcheck.construct.arguments.arithmetic import ARITHMETIC
from initcheck.construct.arguments.filling import Filling, Unknown, parameters_of
from initcheck.construct.arguments.holes import Hole, Node, known_node
from initcheck.errors import InitcheckError

_OPERATORS: dict[type, Callable[..., Any]] = {**ARITHMETIC, ast.UAdd: operator.pos}
_SAFE = frozenset(
    "abs bool dict enumerate float int len list max min range round set sorted str sum tuple zip True False None isinstance type".split()
)


class Unreadable(Exception):
    """A part of the expression that is not evaluated: it is a hole."""


class Evaluator:
    """Evaluates one expression in one try."""

    def __init__(self, filling: Filling, space: Mapping[str, Any]) -> None:
        self.filling = filling
        self.space = space

    def whole(self, node: ast.expr) -> Node:
        """The value of the whole expression; what stands for it when even its outermost part cannot be read."""
        found = self.value(node, "")
        if isinstance(found, Node):
            return found
        raise NameError(f"name {ast.unparse(node)!r} is not defined", name=ast.unparse(node))

    def value(self, node: ast.expr, key: str) -> Node | Unknown:
        """A node with its value, or the mark of a hole."""
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return Unknown()
        try:
            if isinstance(node, ast.Call):
                return self._call(node, key)
            value = self._plain(node, key)
        except Unreadable:
            return Unknown(_names(node))
        return value if isinstance(value, Node) else Node(value, lambda: ast.unparse(node))

    def _plain(self, node: ast.expr, key: str) -> Any:
        """The value of something that is no call."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, key)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return self._display(node, key)
        if isinstance(node, ast.Dict):
            return self._mapping(node, key)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](self._known(node.left, key), self._known(node.right, key))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](self._known(node.operand, key))
        if isinstance(node, ast.Subscript):
            try:
                return self._known(node.value, key)[self._known(node.slice, key)]
            except (LookupError, TypeError) as error:  # the table was to be filled by a statement that did not run
                raise Unreadable(ast.unparse(node)) from error
        if isinstance(node, ast.Slice):
            return slice(*(None if part is None else self._known(part, key) for part in (node.lower, node.upper, node.step)))
        if isinstance(node, ast.JoinedStr):
            return "".join(str(self._known(part.value if isinstance(part, ast.FormattedValue) else part, key)) for part in node.values)
        raise Unreadable(ast.unparse(node))

    def _known(self, node: ast.expr, key: str) -> Any:
        found = self.value(node, key)
        if isinstance(found, Unknown):
            raise Unreadable(ast.unparse(node))
        return found.value

    def _name(self, name: str) -> Any:
        if name in self.space:
            return self.space[name]
        if name in _SAFE:
            return getattr(builtins, name)
        raise Unreadable(name)

    def _attribute(self, node: ast.Attribute, key: str) -> Any:
        owner = self._known(node.value, key)
        if node.attr.startswith("__"):
            raise Unreadable(ast.unparse(node))
        try:
            return getattr(owner, node.attr)
        except AttributeError as error:  # set by a statement that did not run
            raise Unreadable(ast.unparse(node)) from error

    def _display(self, node: ast.List | ast.Tuple | ast.Set, key: str) -> Node:
        kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        items: list[Node] = []
        for index, item in enumerate(node.elts):
            if isinstance(item, ast.Starred):
                items.extend(known_node(each) for each in self._known(item.value, key))
            else:
                items.append(self._hole_or(item, f"{key}[{index}]"))
        opening, closing = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}")}[kind]
        comma = "," if kind is tuple and len(items) == 1 else ""
        return Node(kind(item.value for item in items), lambda: opening + ", ".join(item.text() for item in items) + comma + closing)

    def _mapping(self, node: ast.Dict, key: str) -> Node:
        found: dict[Any, Node] = {}
        for name, item in zip(node.keys, node.values, strict=True):
            if name is None:
                found.update({each: known_node(value) for each, value in self._known(item, key).items()})
            else:
                known = self._known(name, key)
                found[known] = self._hole_or(item, f"{key}.{known}", str(known))

        def text() -> str:
            return "{" + ", ".join(f"{name!r}: {item.text()}" for name, item in found.items()) + "}"

        return Node({name: item.value for name, item in found.items()}, text)

    def _hole_or(self, node: ast.expr, key: str, name: str = "") -> Node:
        """A value inside a display; a hole there goes by the name of its key."""
        found = self.value(node, key)
        if isinstance(found, Node):
            return found
        name = name or next(iter(found.names), "value")
        return self.filling.fill(Hole(key, name, found.names))

    def _call(self, node: ast.Call, key: str) -> Node:
        callee = self._callee(node.func, key)
        function = callee.value
        path = f"{key}/{ast.unparse(node.func)}" if key else ast.unparse(node.func)
        if not callable(function):
            raise Unreadable(ast.unparse(node))
        args: list[Node | Unknown] = []
        for index, item in enumerate(node.args):
            if isinstance(item, ast.Starred):
                spread = self.value(item.value, f"{path}/{index}")
                if isinstance(spread, Node):
                    args.extend(known_node(each) for each in spread.value)
            else:
                args.append(self.value(item, f"{path}/{index}"))
        kwargs: dict[str, Node | Unknown] = {}
        for keyword in node.keywords:
            found = self.value(keyword.value, f"{path}/{keyword.arg}")
            if keyword.arg is not None:
                kwargs[keyword.arg] = found
            elif isinstance(found, Node):
                kwargs.update({str(name): known_node(value) for name, value in found.value.items()})
        if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value is Ellipsis:
            args = self._nothing_known(function, kwargs, args)
        unknown = any(isinstance(item, Unknown) for item in (*args, *kwargs.values()))
        if key and unknown and getattr(function, "__module__", "") == "builtins":
            raise Unreadable(ast.unparse(node))
        inner = bool(key) and not isinstance(function, type)
        made = self._made(function, path, args, kwargs) if inner else self.filling.call(function, path, args, kwargs)
        return Node(made.value, lambda: callee.text() + "(" + made.text().split("(", 1)[1])

    def _made(self, function: Any, path: str, args: list[Node | Unknown], kwargs: dict[str, Node | Unknown]) -> Node:
        """What a function gives for an argument; what it cannot give, for want of data or of its own arguments, is a hole."""
        try:
            return self.filling.call(function, path, args, kwargs)
        except InitcheckError:
            raise
        except Exception as error:
            raise Unreadable(path) from error

    def _callee(self, node: ast.expr, key: str) -> Node:
        """What is called; a method with the text of its owner, in which holes may have been filled."""
        if not isinstance(node, ast.Attribute) or node.attr.startswith("__"):
            return Node(self._known(node, key), lambda: ast.unparse(node))
        owner = self.value(node.value, key)
        if isinstance(owner, Unknown) or not hasattr(owner.value, node.attr):
            raise Unreadable(ast.unparse(node))
        return Node(getattr(owner.value, node.attr), lambda: f"{owner.text()}.{node.attr}")

    @staticmethod
    def _nothing_known(function: Any, kwargs: Mapping[str, Any], args: list[Node | Unknown]) -> list[Node | Unknown]:
        """`Net(...)` says nothing about any argument when there is more than one that is required."""
        required = [p for p in parameters_of(function) if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        return [] if not parameters_of(function) or all(p.name not in kwargs for p in required) else args


def _names(node: ast.expr) -> tuple[str, ...]:
    """The names and keys that a text mentions, the innermost last: `hidden_size` of `args.hidden_size`."""
    found: list[str] = []
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return (str(node.slice.value),)
    if (
        isinstance(node, ast.Call)
        and node.args
        and isinstance(node.func, ast.Name)
        and node.func.id in ("int", "float", "len", "list", "tuple")
    ):
        found.extend(_names(node.args[0]))
    return tuple(found)
