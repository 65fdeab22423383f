"""Expressions that make a model, with `...` in the place of every argument that only data, or the caller, would know."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping

from initcheck.discover.models import FLUENT, WRAPPERS, FileModels
from initcheck.discover.names import root_name
from initcheck.source.calls import last_name

_DEPTH = 4
"""Modules inside modules inside the arguments, at most."""

Knows = Callable[[str], bool]


def maker(models: FileModels, value: ast.expr) -> ast.Call | None:
    """The call that makes a model inside `nn.DataParallel(Net(3)).to(device)`; `None` for what makes nothing by itself."""
    while True:
        if isinstance(value, ast.IfExp):
            value = value.body
        elif not isinstance(value, ast.Call):
            return None
        elif value.args and models.names.dotted(value.func) in WRAPPERS:
            value = value.args[0]
        elif isinstance(value.func, ast.Attribute) and value.func.attr in FLUENT:
            value = value.func.value
        else:
            return value


class Opening:
    """Rewrites calls so that only what is known stays.

    `knows` says of a name whether it may be read; `local` holds the values of names that can be written out in their place; `options`
    those of command line options (`args.hidden` becomes its default).
    """

    def __init__(self, models: FileModels, knows: Knows, local: Mapping[str, ast.expr], options: Mapping[str, ast.expr]) -> None:
        self._models, self._knows, self._local, self._options = models, knows, local, options

    def of(self, call: ast.Call) -> ast.Call | None:
        """The call with holes; `None` when what is called is itself not known."""
        return self._call(call, _DEPTH)

    def _call(self, call: ast.Call, depth: int) -> ast.Call | None:
        if not self._knows(root_name(call.func)) or depth < 0:
            return None
        arguments = [self._argument(value, depth) for value in call.args if not isinstance(value, ast.Starred)]
        if any(isinstance(value, ast.Starred) for value in call.args):
            arguments = [_hole()]
        keywords = [ast.keyword(item.arg, self._argument(item.value, depth)) for item in call.keywords if item.arg is not None]
        if any(item.arg is None for item in call.keywords) and not arguments and not keywords:
            arguments = [_hole()]
        return ast.copy_location(ast.Call(copy.deepcopy(call.func), arguments, keywords), call)

    def _argument(self, value: ast.expr, depth: int) -> ast.expr:
        written = self._written_out(value)
        made = maker(self._models, written)
        if made is not None and self._makes_part(made):
            return self._call(made, depth - 1) or _hole()
        if isinstance(written, (ast.List, ast.Tuple)) and not self._all_known(written):
            return ast.copy_location(type(written)([self._argument(item, depth) for item in written.elts], ast.Load()), value)
        return copy.deepcopy(written) if self._all_known(written) else _hole()

    def _written_out(self, value: ast.expr) -> ast.expr:
        """The value of a local name or of a command line option, where it can stand in the place of the name."""
        for _ in range(_DEPTH):
            if isinstance(value, ast.Name) and not self._knows(value.id) and value.id in self._local:
                value = self._local[value.id]
            elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and not self._knows(value.value.id):
                return self._options.get(value.attr, value)
            else:
                return value
        return value

    def _makes_part(self, call: ast.Call) -> bool:
        """Whether a call in an argument makes something out of its own arguments alone: a module, a configuration."""
        name = root_name(call.func)
        own = name in self._models.classes or self._models.is_factory(name)
        return own or self._models.is_module(call) or (name in self._models.names.aliases and last_name(call.func)[:1].isupper())

    def _all_known(self, value: ast.expr) -> bool:
        if any(isinstance(node, (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield)) for node in ast.walk(value)):
            return False
        bound = {node.id for node in ast.walk(value) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        return all(self._knows(node.id) or node.id in bound for node in ast.walk(value) if isinstance(node, ast.Name))


def names_in(expression: ast.expr) -> frozenset[str]:
    """The names that an expression reads."""
    return frozenset(node.id for node in ast.walk(expression) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))


def holes_in(expression: ast.expr) -> int:
    """How many arguments are left open."""
    return sum(isinstance(node, ast.Constant) and node.value is Ellipsis for node in ast.walk(expression))


def _hole() -> ast.expr:
    return ast.Constant(...)
