"""Following the arguments through the statements of one forward()."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import Module

from initcheck.construct.inputs.source.needs import Need, state, width
from initcheck.construct.inputs.source.notes import Notes, may_be_bundle
from initcheck.construct.inputs.source.reading import DEPTH, Key, Origin, Use, resolve
from initcheck.construct.inputs.source.syntax import (
    JOINS,
    KEEPS,
    POINTWISE,
    PRODUCTS,
    axis_of,
    classes_of,
    divisor,
    forward_source,
    parameters,
    receiver,
)
from initcheck.construct.inputs.source.unrolling import bindings

_TENSOR = frozenset(dir(torch.Tensor))
_VIEWS = ("T", "mT", "data", "real")


@dataclass(slots=True)
class Reader(Notes):
    """Follows the arguments through one module's forward; `path` is the module's name inside the model."""

    def uses(self, depth: int) -> dict[Key, Use]:
        """Reads forward() once."""
        function = forward_source(self.module)
        if function is not None and depth < DEPTH:
            self.owner = receiver(function)
            self.stars = frozenset(star.arg for star in (function.args.vararg, function.args.kwarg) if star is not None)
            self.names = {name: Origin(((name,),)) for name in (*parameters(function), *self.stars)}
            self.block(function.body, depth)
        return self.found

    def block(self, statements: list[ast.stmt], depth: int) -> None:
        """Reads statements in order; both branches of a condition."""
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
                self.unsure += 1
                self.block([*statement.body, *statement.orelse], depth)
                self.unsure -= 1
            elif isinstance(statement, (ast.With, ast.Try)):
                self.block(statement.body, depth)

    def assign(self, target: ast.expr, expression: ast.expr, depth: int) -> None:
        """Follows a value to the names it is given."""
        if isinstance(target, ast.Name) and (listed := self.listed(expression, depth)) is not None:
            self.lists[target.id] = listed
            self.names.pop(target.id, None)
            return
        if isinstance(target, ast.Tuple) and isinstance(expression, ast.Tuple) and len(target.elts) == len(expression.elts):
            for one, other in zip(target.elts, expression.elts, strict=True):
                self.assign(one, other, depth)
            return
        origin = self.value(expression, depth)
        if isinstance(target, ast.Name):
            self.bind(target.id, origin)
            if (layer := self.layer(expression)) is not None:
                self.layers[target.id] = layer
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target, origin, whole=isinstance(expression, ast.Name))

    def unpack(self, target: ast.Tuple | ast.List, origin: Origin | None, *, whole: bool) -> None:
        """`x, (h, c) = inputs` takes a bundle apart."""
        splits = origin is not None and (self.is_bundle(origin) or (whole and may_be_bundle(origin, target)))
        for index, element in enumerate(target.elts):
            part = self.part(origin, index) if splits and origin is not None else None
            if isinstance(element, ast.Name):
                self.bind(element.id, part)
            elif isinstance(element, (ast.Tuple, ast.List)) and part is not None:
                self.unpack(element, part, whole=True)

    def loop(self, statement: ast.For | ast.AsyncFor, depth: int) -> None:
        """A loop over a list of layers begins with the first of them; one that counts or pairs them goes through all."""
        rounds = bindings(statement.target, statement.iter, self)
        if rounds is not None:
            for bound in rounds:
                self.enter_round(bound)
                self.block(statement.body, depth)
            return
        origin = self.value(statement.iter, depth)
        for source in ast.walk(statement.iter):
            layer = self.layer(source) if isinstance(source, ast.expr) else None
            if layer is None or not isinstance(layer[0], (nn.ModuleList, nn.Sequential, nn.ModuleDict)) or len(layer[0]) == 0:
                continue
            names = [node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)]
            if names:
                key, child = next(iter(layer[0].named_children()))
                self.layers[names[-1]] = (child, f"{layer[1]}.{key}".lstrip("."))
        if origin is not None and origin.keys and isinstance(statement.target, ast.Name):
            self.names[statement.target.id] = Origin(origin.keys, stepped=0)
        self.block(statement.body, depth)

    def value(self, expression: ast.expr, depth: int) -> Origin | None:
        """Where the value of an expression comes from; notes the layers that are entered on the way."""
        if isinstance(expression, ast.Name):
            return self.names.get(expression.id)
        if isinstance(expression, ast.Attribute):
            return self.attribute(expression, depth)
        if isinstance(expression, ast.Subscript):
            return self.subscript(expression, depth)
        if isinstance(expression, ast.BinOp):
            return self.operation(expression, depth)
        if isinstance(expression, ast.Call):
            return self.call(expression, depth)
        if isinstance(expression, ast.IfExp):
            return self.value(expression.body, depth) or self.value(expression.orelse, depth)
        if isinstance(expression, (ast.ListComp, ast.GeneratorExp)):
            self.listed(expression, depth)
            return None
        for child in ast.iter_child_nodes(expression):
            if isinstance(child, ast.expr):
                self.value(child, depth)
        return None

    def attribute(self, expression: ast.Attribute, depth: int) -> Origin | None:
        """A view of a tensor, or a field of a data object."""
        origin = self.value(expression.value, depth)
        if origin is None or expression.attr in _VIEWS:
            return origin
        if len(origin.keys) == 1 and len(origin.keys[0]) == 1 and expression.attr not in _TENSOR:
            return self.part(origin, f".{expression.attr}")
        return None

    def subscript(self, expression: ast.Subscript, depth: int) -> Origin | None:
        """A part of a bundle, a column, or the same data cut along an axis."""
        origin = self.value(expression.value, depth)
        index = expression.slice
        if origin is None or not origin.keys:
            return None
        if isinstance(index, ast.Constant) and isinstance(index.value, str):
            return self.part(origin, index.value)
        number = self.number(index)
        if number is not None and (self.is_bundle(origin) or (isinstance(index, ast.Name) and len(origin.keys[0]) == 1)):
            return self.part(origin, number)
        elements = index.elts if isinstance(index, ast.Tuple) else [index]
        if len(elements) > 1 and (column := self.number(elements[-1])) is not None and column >= 0:
            return replace(origin, column=column)
        if any(isinstance(part, ast.Constant) and part.value is None for part in elements):
            return replace(origin, added=True)
        axis = next((axis for axis, part in enumerate(elements) if isinstance(part, ast.Name)), -1)
        return replace(origin, stepped=axis) if axis >= 0 else origin

    def operation(self, expression: ast.BinOp, depth: int) -> Origin | None:
        """Arithmetic keeps what it works on; a product with a parameter is the entry to a layer."""
        left, right = self.value(expression.left, depth), self.value(expression.right, depth)
        if isinstance(expression.op, ast.MatMult):
            self.note_bare("@", left, expression.right)
            return None
        if left is not None and isinstance(expression.op, ast.Div):
            return replace(left, divided=left.divided * divisor(expression.right))
        return next((one for one in (left, right) if one is not None and one.keys), left or right)

    def call(self, call: ast.Call, depth: int) -> Origin | None:
        """Enters layers and methods, joins, and functions that keep their data."""
        layer = self.layer(call.func)
        if layer is not None:
            self.enter(layer, call, depth)
            return Origin((), beside=made) if (made := width(layer[0])) else None
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in JOINS:
            return self.joined(call, name, depth)
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(base, ast.Name) and base.id == self.owner and self.own_method(name, call, depth):
            return None
        if name == "append" and isinstance(base, ast.Name) and base.id in self.lists and call.args:
            self.lists[base.id].append(self.value(call.args[0], depth))
            return None
        return self.function(name, base, call, depth)

    def function(self, name: str, base: ast.expr | None, call: ast.Call, depth: int) -> Origin | None:
        """What a plain function makes of its first argument."""
        own = self.value(base, depth) if base is not None else None
        origins = [self.value(argument, depth) for argument in call.args]
        for keyword in call.keywords:
            self.value(keyword.value, depth)
        if name in PRODUCTS and len(call.args) > 1:
            self.note_bare(name, origins[0], call.args[1])
            return None
        first = own or (origins[0] if origins else None)
        if name == "one_hot" and first is not None and (classes := classes_of(self.module, call, self.owner)):
            self.note(first, Use(Need("classes", classes, self.path, "num_classes")))
            return Origin((), beside=classes)
        if first is None or not first.keys:
            return first if name in POINTWISE else None
        if name == "unsqueeze":
            return replace(first, added=True)
        if name in ("div", "div_", "true_divide") and call.args:
            return replace(first, divided=first.divided * divisor(call.args[-1]))
        return first if name in KEEPS else None

    def listed(self, expression: ast.expr, depth: int) -> list[Origin | None] | None:
        """The origins of the members of a list that is written out, or made in a loop over layers."""
        if isinstance(expression, ast.Name):
            return self.lists.get(expression.id)
        if isinstance(expression, (ast.List, ast.Tuple)):
            found: list[Origin | None] = []
            for element in expression.elts:
                inner = self.listed(element.value, depth) if isinstance(element, ast.Starred) else [self.value(element, depth)]
                found.extend([None] if inner is None else inner)
            return found
        if not isinstance(expression, (ast.ListComp, ast.GeneratorExp)):
            return None
        generator = expression.generators[0]
        rounds = bindings(generator.target, generator.iter, self, single=True)
        if rounds is None:
            source = self.value(generator.iter, depth)
            if source is not None and source.keys and isinstance(generator.target, ast.Name):
                self.names[generator.target.id] = replace(source, stepped=0)
            elif isinstance(generator.iter, (ast.Tuple, ast.List)) and isinstance(generator.target, ast.Name):
                return self.each(generator.target.id, generator.iter.elts, expression.elt, depth)
            return [self.value(expression.elt, depth)]
        made: list[Origin | None] = []
        for bound in rounds:
            self.enter_round(bound)
            made.append(self.value(expression.elt, depth))
        return made

    def each(self, name: str, elements: list[ast.expr], made: ast.expr, depth: int) -> list[Origin | None]:
        """The members of `[f(v) for v in (a, b)]`."""
        found = []
        for element in elements:
            self.bind(name, self.value(element, depth))
            if (layer := self.layer(element)) is not None:
                self.layers[name] = layer
            found.append(self.value(made, depth))
        return found

    def joined(self, call: ast.Call, name: str, depth: int) -> Origin | None:
        """Only values joined along the feature axis share the size that the next layer wants."""
        origins = self.listed(call.args[0], depth) if call.args else None
        if origins is None:
            return self.value(call.args[0], depth) if call.args else None
        whole = [origin for origin in origins if origin is not None and origin.keys]
        beside = sum(origin.beside for origin in origins if origin is not None)
        unknown = sum(origin is None for origin in origins)
        if not whole:
            return Origin((), beside=beside) if not unknown and beside else None
        if name != "hstack" and axis_of(call) == 0:
            return whole[0]
        keys = tuple(key for origin in whole for key in origin.keys)
        # parts of unknown width count as one more that shares what is left
        return Origin((*keys, *((("?",),) if unknown else ())), beside=beside, added=all(origin.added for origin in whole))

    def own_method(self, name: str, call: ast.Call, depth: int) -> bool:
        """Follows a call of another method of the module."""
        if depth >= DEPTH or not inspect.isfunction(getattr(type(self.module), name, None)):
            return False
        function = forward_source(self.module, name)
        if function is None:
            return False
        given = [self.value(argument, depth) for argument in call.args]
        named = {keyword.arg: self.value(keyword.value, depth) for keyword in call.keywords if keyword.arg}
        static = isinstance(inspect.getattr_static(type(self.module), name), staticmethod)
        outer, owner, bound = self.names, self.owner, dict(zip(parameters(function, static=static), given, strict=False)) | named
        self.names = {key: origin for key, origin in bound.items() if origin is not None and key is not None}
        self.owner = "" if static else receiver(function)
        self.block(function.body, depth + 1)
        self.names, self.owner = outer, owner
        return True

    def enter(self, layer: tuple[Module, str], call: ast.Call, depth: int) -> None:
        """Notes the arguments that a layer is called with."""
        places: list[tuple[int | str, ast.expr]] = [*enumerate(call.args)]
        places += [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg]
        for place, argument in places:
            if isinstance(argument, ast.Tuple):
                for element in argument.elts:
                    self.note(self.value(element, depth), None if (wish := state(*layer)) is None else Use(wish))
                continue
            origin = self.value(argument, depth)
            if origin is not None and origin.keys:
                self.note(origin, resolve(*layer, place, depth + 1))
