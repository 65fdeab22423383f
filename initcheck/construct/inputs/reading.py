"""Which layer reads each argument of forward() first, found in the source of forward(), never by running it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.nn import Module

from initcheck.construct.inputs.needs import Need, bare, need
from initcheck.construct.inputs.syntax import BUNDLES, KEEPS, PRODUCTS, dotted, forward_source, parameters, receiver

Key = tuple[str | int, ...]
"""An argument (`("x",)`), or a part of one (`("batch", "input_ids")`, `("batch", 0)`)."""

_DEPTH = 8


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a value came from: one key, or several that were joined along the feature axis; `stepped` is the axis it was cut along."""

    keys: tuple[Key, ...]
    stepped: int = -1


@dataclass(frozen=True, slots=True)
class Use:
    """The first layer that an argument enters. `shares` arguments were joined before it; `stepped` is the axis of a loop over time."""

    need: Need
    shares: int = 1
    share: int = 0
    stepped: int = -1


def first_uses(model: Module) -> dict[Key, Use]:
    """The uses that could be read; arguments that no layer is known to read are absent."""
    return _Reader(model, "").uses(0)


def first_layer(model: Module) -> Need | None:
    """The first layer with a wish in the order of registration."""
    return next((wish for name, module in model.named_modules() if (wish := need(module, name)) is not None), None)


@dataclass(slots=True)
class _Reader:
    """Follows the arguments through one module's forward; `path` is the module's name inside the model."""

    module: Module
    path: str
    owner: str = "self"
    found: dict[Key, Use] = field(default_factory=dict)
    names: dict[str, _Origin] = field(default_factory=dict)
    layers: dict[str, tuple[Module, str]] = field(default_factory=dict)

    def uses(self, depth: int) -> dict[Key, Use]:
        function = forward_source(self.module)
        if function is not None and depth < _DEPTH:
            self.owner = receiver(function)
            self.names = {name: _Origin(((name,),)) for name in parameters(function)}
            self.block(function.body, depth)
        return self.found

    def block(self, statements: list[ast.stmt], depth: int) -> None:
        for statement in statements:
            if isinstance(statement, ast.Assign):
                self.assign(statement.targets[0], statement.value, depth)
            elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)) and statement.value is not None:
                self.assign(statement.target, statement.value, depth)
            elif isinstance(statement, (ast.Expr, ast.Return)) and statement.value is not None:
                self.value(statement.value, depth)
            elif isinstance(statement, (ast.For, ast.AsyncFor)):
                self.loop(statement, depth)
            elif isinstance(statement, (ast.If, ast.While)):
                self.value(statement.test, depth)
                self.block([*statement.body, *statement.orelse], depth)
            elif isinstance(statement, (ast.With, ast.Try)):
                self.block(statement.body, depth)

    def assign(self, target: ast.expr, expression: ast.expr, depth: int) -> None:
        origin = self.value(expression, depth)
        if isinstance(target, ast.Name):
            if origin is None:
                self.names.pop(target.id, None)
            else:
                self.names[target.id] = origin
            if (layer := self.layer(expression)) is not None:
                self.layers[target.id] = layer
        elif isinstance(target, (ast.Tuple, ast.List)):
            for index, element in enumerate(target.elts):
                if isinstance(element, ast.Name):
                    self.names.pop(element.id, None)
                    if origin is not None and _is_bundle(origin):
                        self.names[element.id] = _Origin(((*origin.keys[0], index),))

    def loop(self, statement: ast.For | ast.AsyncFor, depth: int) -> None:
        """A loop over a list of layers begins with the first of them."""
        origin = self.value(statement.iter, depth)
        for source in ast.walk(statement.iter):
            layer = self.layer(source) if isinstance(source, ast.expr) else None
            if layer is None or not isinstance(layer[0], (nn.ModuleList, nn.Sequential)) or len(layer[0]) == 0:
                continue
            names = [node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)]
            if names:
                self.layers[names[-1]] = (layer[0][0], f"{layer[1]}.0".lstrip("."))
        if origin is not None and isinstance(statement.target, ast.Name) and isinstance(statement.iter, (ast.Name, ast.Call)):
            self.names[statement.target.id] = _Origin(origin.keys, stepped=0)
        self.block(statement.body, depth)

    def value(self, expression: ast.expr, depth: int) -> _Origin | None:
        """Where the value of an expression comes from; notes the layers that are entered on the way."""
        if isinstance(expression, ast.Name):
            return self.names.get(expression.id)
        if isinstance(expression, ast.Attribute):
            origin = self.value(expression.value, depth)
            return origin if expression.attr in ("T", "mT", "data") else None
        if isinstance(expression, ast.Subscript):
            return self.subscript(expression, depth)
        if isinstance(expression, ast.BinOp):
            return self.operation(expression, depth)
        if isinstance(expression, ast.Call):
            return self.call(expression, depth)
        if isinstance(expression, ast.IfExp):
            return self.value(expression.body, depth) or self.value(expression.orelse, depth)
        for child in ast.iter_child_nodes(expression):
            if isinstance(child, ast.expr):
                self.value(child, depth)
        return None

    def subscript(self, expression: ast.Subscript, depth: int) -> _Origin | None:
        origin = self.value(expression.value, depth)
        index = expression.slice
        if origin is None:
            return None
        if isinstance(index, ast.Constant) and isinstance(index.value, str):
            return _Origin(((*origin.keys[0], index.value),))
        if isinstance(index, ast.Constant) and isinstance(index.value, int) and _is_bundle(origin):
            return _Origin(((*origin.keys[0], index.value),))
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        axis = next((axis for axis, part in enumerate(parts) if isinstance(part, ast.Name)), -1)
        return _Origin(origin.keys, stepped=axis) if axis >= 0 else origin

    def operation(self, expression: ast.BinOp, depth: int) -> _Origin | None:
        left, right = self.value(expression.left, depth), self.value(expression.right, depth)
        if isinstance(expression.op, ast.MatMult):
            self.note_bare("@", left, expression.right)
            return None
        return left or right

    def call(self, call: ast.Call, depth: int) -> _Origin | None:
        layer = self.layer(call.func)
        if layer is not None:
            self.enter(layer, call, depth)
            return None
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in ("cat", "concat", "hstack", "concatenate"):
            return self.joined(call, name, depth)
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(base, ast.Name) and base.id == self.owner and self.own_method(name, call, depth):
            return None
        own = self.value(base, depth) if base is not None else None
        origins = [self.value(argument, depth) for argument in call.args]
        for keyword in call.keywords:
            self.value(keyword.value, depth)
        if name in PRODUCTS and len(call.args) > 1:
            self.note_bare(name, origins[0], call.args[1])
            return None
        return (own or (origins[0] if origins else None)) if name in KEEPS else None

    def joined(self, call: ast.Call, name: str, depth: int) -> _Origin | None:
        """Only values joined along the feature axis share the size that the next layer wants."""
        parts = call.args[0] if call.args else None
        if not isinstance(parts, (ast.Tuple, ast.List)):
            return None
        origins = [self.value(part, depth) for part in parts.elts]
        axis = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg in ("dim", "axis")), None)
        whole = [origin for origin in origins if origin is not None]
        if len(whole) < len(origins) or not whole:
            return None
        along_batch = name != "hstack" and (axis is None or (isinstance(axis, ast.Constant) and axis.value == 0))
        return whole[0] if along_batch else _Origin(tuple(key for origin in whole for key in origin.keys))

    def own_method(self, name: str, call: ast.Call, depth: int) -> bool:
        """Follows a call of another method of the module."""
        if depth >= _DEPTH or not inspect.isfunction(getattr(type(self.module), name, None)):
            return False
        function = forward_source(self.module, name)
        if function is None:
            return False
        given = [self.value(argument, depth) for argument in call.args]
        named = {keyword.arg: self.value(keyword.value, depth) for keyword in call.keywords if keyword.arg}
        outer, owner, bound = self.names, self.owner, dict(zip(parameters(function), given, strict=False)) | named
        self.names = {key: origin for key, origin in bound.items() if origin is not None and key is not None}
        self.owner = receiver(function)
        self.block(function.body, depth + 1)
        self.names, self.owner = outer, owner
        return True

    def enter(self, layer: tuple[Module, str], call: ast.Call, depth: int) -> None:
        for position, argument in enumerate(call.args):
            origin = self.value(argument, depth)
            if origin is not None:
                self.note(origin, resolve(*layer, position, depth + 1))
        for keyword in call.keywords:
            origin = self.value(keyword.value, depth)
            if origin is not None and keyword.arg:
                self.note(origin, resolve(*layer, keyword.arg, depth + 1))

    def note_bare(self, name: str, origin: _Origin | None, weight: ast.expr) -> None:
        path = dotted(weight, self.owner)
        target: Any = self.module
        for part in path:
            target = getattr(target, part, None)
        if origin is not None and isinstance(target, Tensor):
            wish = bare(name, target, ".".join(filter(None, [self.path, *path])))
            self.note(origin, None if wish is None else Use(wish))

    def note(self, origin: _Origin, use: Use | None) -> None:
        if use is None:
            return
        for share, key in enumerate(origin.keys):
            count = len(origin.keys) * use.shares
            stepped = origin.stepped if origin.stepped >= 0 else use.stepped
            self.found.setdefault(key, Use(use.need, count, share + use.share, stepped))

    def layer(self, expression: ast.expr) -> tuple[Module, str] | None:
        """The module that an expression such as `self.blocks[0].attn` names."""
        if isinstance(expression, ast.Name):
            return (self.module, self.path) if expression.id == self.owner else self.layers.get(expression.id)
        if isinstance(expression, ast.Attribute):
            part: Any = expression.attr
        elif isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Constant):
            part = str(expression.slice.value)
        elif isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Name):
            part = "0"
        else:
            return None
        owner = self.layer(expression.value)
        child = None if owner is None else owner[0]._modules.get(part)  # noqa: SLF001  (getattr would run properties)
        return None if owner is None or child is None else (child, f"{owner[1]}.{part}".lstrip("."))


def resolve(module: Module, path: str, argument: int | str, depth: int = 0) -> Use | None:
    """The first layer inside `module` that reads its argument, given by position or name."""
    wish = need(module, path, argument if isinstance(argument, int) else 0)
    if wish is not None:
        return Use(wish)
    if depth > _DEPTH:
        return None
    if isinstance(module, (nn.Sequential, nn.ModuleList)):
        children = ((child, f"{path}.{name}".lstrip(".")) for name, child in module.named_children())
        return next((use for child, name in children if (use := resolve(child, name, argument, depth + 1)) is not None), None)
    function = forward_source(module)
    if function is None:
        return None
    names = parameters(function)
    name = argument if isinstance(argument, str) else names[argument] if argument < len(names) else ""
    use = _Reader(module, path).uses(depth + 1).get((name,))
    if use is not None or argument not in (0, name) or (names and name != names[0]):
        return use
    inner = ((child, f"{path}.{key}".lstrip(".")) for key, child in module.named_modules() if key)
    first = next((wish for child, key in inner if (wish := need(child, key)) is not None), None)
    return None if first is None else Use(first)


def _is_bundle(origin: _Origin) -> bool:
    return len(origin.keys) == 1 and len(origin.keys[0]) == 1 and origin.keys[0][0] in BUNDLES


__all__ = ["Key", "Use", "first_layer", "first_uses", "resolve"]
