"""Calls: into the file's own functions and classes, into torch as far as it is known, and into the unknown."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from initcheck.discover.static.known import modules, network, plain, tensors
from initcheck.discover.static.reader.attributes import attribute, lineage, members
from initcheck.discover.static.reader.machine import DEPTH, Frame, Machine, Raised, Returned
from initcheck.discover.static.reader.values import (
    Bound,
    Class,
    Dotted,
    Function,
    Method,
    Opaque,
    Scope,
    Signal,
    Tensor,
    Thing,
    Value,
    View,
    signals,
)

_HARMLESS = (
    *("torch.optim", "torch.utils.data", "torch.cuda", "torch.backends", "torch.manual_seed", "torch.set_", "torch.save", "torch.device"),
    *(
        "logging",
        "logger",
        "warnings",
        "builtins.print",
        "builtins.id",
        "builtins.hash",
        "builtins.format",
        "numpy",
        "random",
        "os.",
        "time",
    ),
    *(
        "torch.no_grad",
        "torch.inference_mode",
        "torch.enable_grad",
        "torch.get_",
        "torch.is_",
        "torch._C",
        "torch.jit.is_",
        "torch._assert",
    ),
    *("torchvision.utils._log_api_usage_once", "copy.copy", "functools", "typing", "builtins.type", "collections", "contextlib", "sys."),
)
"""Functions that change nothing of what they are given."""
_QUIET = frozenset({"_log_api_usage_once", "init_empty_weights", "summary", "print", "info", "warn", "warning", "debug"})
_WRAPPERS = ("torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel", "torch.compile", "torch.jit.script", "builtins.iter")


def call(machine: Machine, function: Value, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """What a call gives, with all that it does on the way."""
    machine.step()
    if isinstance(function, Function):
        return invoke(machine, function, positional, keywords, node)
    if isinstance(function, Class):
        return instantiate(machine, function, positional, keywords, node)
    if isinstance(function, Bound):
        return call(machine, function.function, [*function.positional, *positional], {**dict(function.keywords), **keywords}, node)
    if isinstance(function, Thing):
        return applied(machine, function, positional, keywords, node)
    if isinstance(function, Dotted):
        return _dotted(machine, function.name, positional, keywords, node)
    if isinstance(function, Method):
        return _method(machine, function, positional, keywords, node)
    return unknown(machine, "a call that is not known", positional, keywords, node)


def unknown(machine: Machine, what: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A call of something that cannot be looked into: it may change whatever it is given."""
    given = [*positional, *keywords.values()]
    machine.taint(f"{what} in {machine.where(node)} may change it", *given)
    found = signals(*given)
    return machine.op("unknown", found) if found else Opaque(f"{what} in {machine.where(node)}")


def _dotted(machine: Machine, name: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    if name in _WRAPPERS and positional:
        return positional[0]
    for family in (plain.function, tensors.function, modules.function, network.function):
        found = family(machine, name, positional, keywords, node)
        if found is not NotImplemented:
            return found
    if name.startswith(_HARMLESS) or name.rpartition(".")[2] in _QUIET:
        seen = signals(*positional, *keywords.values())
        return machine.op("unknown", seen) if seen else Opaque(f"the result of `{name}`")
    return unknown(machine, f"`{name.removeprefix('builtins.')}`", positional, keywords, node)


def _method(machine: Machine, method: Method, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    owner, name = method.owner, method.name
    if isinstance(owner, Thing) and name.startswith("__init__:"):
        return base_init(machine, owner, name.partition(":")[2], positional, keywords, node)
    family = (
        modules.method
        if isinstance(owner, Thing)
        else tensors.method
        if isinstance(owner, (Tensor, View))
        else network.method
        if isinstance(owner, Signal)
        else plain.method
    )
    found = family(machine, owner, name, positional, keywords, node)
    if found is not NotImplemented:
        return found
    return unknown(machine, f"`.{name}()`", [owner, *positional], keywords, node)


def invoke(machine: Machine, function: Function, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """Reads the body of a function of the file with its arguments bound."""
    body = function.node
    given = [function.owner, *positional] if function.owner is not None else list(positional)
    if len(machine.frames) > DEPTH or isinstance(body, ast.AsyncFunctionDef) or _yields(body):
        return unknown(machine, "a generator or a deep recursion", given, keywords, node)
    qualname = _qualname(function)
    scope = Scope({}, function.scope, qualname)
    if function.home is not None:
        scope.names |= {"<home>": function.home, "<self>": function.owner if function.owner is not None else (given[0] if given else None)}
    _bind(machine, body.args, given, keywords, scope)
    if isinstance(body, ast.Lambda):
        return machine.read(body.body, scope)
    machine.frames.append(Frame(qualname))
    result: Value = None
    failed = ""
    try:
        machine.run(body.body, scope)
    except Returned as returned:
        result = returned.value
    except Raised as raised:
        failed = str(raised)
    finally:
        frame = machine.frames.pop()
    if failed:
        machine.taint(f"{failed} raises an error", *given, *keywords.values())
        return Opaque(f"{failed} raises an error")
    for other in frame.returned:
        result = machine.merged(result, other, frame.left or "several results")
    return result


def _qualname(function: Function) -> str:
    node = function.node
    name = node.name if not isinstance(node, ast.Lambda) else "<lambda>"
    if function.home is not None:
        return f"{function.home.node.name}.{name}"
    outer = function.scope.qualname
    return f"{outer}.<locals>.{name}" if outer else name


def _yields(node: ast.AST) -> bool:
    return not isinstance(node, ast.Lambda) and any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in ast.walk(node))


def _bind(machine: Machine, arguments: ast.arguments, given: list[Value], keywords: Mapping[str, Value], scope: Scope) -> None:
    """Gives the parameters of a function their values."""
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    first = next((index for index, value in enumerate(given) if isinstance(value, Opaque) and value.rest), None)
    vague, surely = first is not None, min(len(given) if first is None else first, len(names))
    hidden = keywords.get("**")
    defaults = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    defaults |= {a.arg: default for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is not None}
    outer = scope.outer or scope
    for index, name in enumerate([*names, *(argument.arg for argument in arguments.kwonlyargs)]):
        if index < surely:
            scope.names[name] = given[index]
        elif name in keywords:
            scope.names[name] = keywords[name]
        elif name in defaults and hidden is None and not vague:
            scope.names[name] = machine.read(defaults[name], outer)
        else:
            scope.names[name] = Opaque(f"the argument `{name}` is not known")
    if arguments.vararg is not None:
        scope.names[arguments.vararg.arg] = tuple(given[len(names) :])
    if arguments.kwarg is not None:
        known = {*names, *(argument.arg for argument in arguments.kwonlyargs)}
        scope.names[arguments.kwarg.arg] = (
            hidden if hidden is not None else {key: value for key, value in keywords.items() if key not in known}
        )


def instantiate(machine: Machine, cls: Class, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A new object of a class of the file."""
    ancestors = list(lineage(machine, cls))
    module = any(isinstance(base, Dotted) and modules.is_module_base(base.name) for base in ancestors)
    module = module or any(isinstance(base, Class) and _has(base, "forward") for base in ancestors)
    thing = Thing(cls.node.name, machine.place(node), cls=cls, module=module)
    foreign = next((base for base in ancestors if not isinstance(base, Class) and not modules.harmless_base(base)), None)
    if foreign is not None:
        thing.doubt = f"its base class `{foreign.name}` is defined elsewhere" if isinstance(foreign, Dotted) else foreign.reason
    for ancestor in ancestors:
        if isinstance(ancestor, Class):
            init = next((one for one in members(ancestor) if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
            if init is not None:
                invoke(machine, Function(init, ancestor.scope, thing, ancestor), positional, keywords, node)
                return thing
            if any("dataclass" in ast.unparse(mark) for mark in ancestor.node.decorator_list):
                _fields(machine, thing, ancestors, positional, keywords)
                return thing
        elif isinstance(ancestor, Dotted):
            base_init(machine, thing, ancestor.name, positional, keywords, node)
            return thing
    return thing


def _has(cls: Class, name: str) -> bool:
    return any(isinstance(one, ast.FunctionDef) and one.name == name for one in members(cls))


def _fields(machine: Machine, thing: Thing, ancestors: Sequence[Value], positional: Sequence[Value], keywords: Mapping[str, Value]) -> None:
    """The fields of a dataclass."""
    named: dict[str, tuple[ast.expr | None, Scope]] = {}
    for ancestor in reversed([one for one in ancestors if isinstance(one, Class)]):
        for statement in ancestor.node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                named[statement.target.id] = (statement.value, ancestor.scope)
    for index, (name, (default, scope)) in enumerate(named.items()):
        if index < len(positional):
            thing.attributes[name] = positional[index]
        elif name in keywords:
            thing.attributes[name] = keywords[name]
        else:
            known = default is not None and "**" not in keywords
            thing.attributes[name] = (
                machine.read(default, scope) if known and default is not None else Opaque(f"the field `{name}` is not known")
            )


def base_init(
    machine: Machine, thing: Thing, base: str, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST
) -> Value:
    """`super().__init__(...)` where it leaves the file."""
    if modules.is_part(base):
        modules.fill(machine, thing, base, positional, keywords, node)
    elif not modules.harmless_base(Dotted(base)):
        thing.doubt = thing.doubt or f"its base class `{base}` is defined elsewhere"
    return None


def applied(machine: Machine, thing: Thing, positional: Sequence[Value], keywords: Mapping[str, Value], node: ast.AST) -> Value:
    """A module that is called with data."""
    if thing.dotted == "torch.nn.Sequential" and (thing.cls is None or not _defines(machine, thing, "forward")):
        return _chained(machine, thing, positional, node)
    if thing.cls is not None and _defines(machine, thing, "forward"):
        return call(machine, attribute(machine, thing, "forward", node), positional, keywords, node)
    if thing.cls is not None and _defines(machine, thing, "__call__"):
        return call(machine, attribute(machine, thing, "__call__", node), positional, keywords, node)
    if thing.dotted.startswith("torch.nn."):
        return network.module(machine, thing, positional, keywords)
    found = signals(*positional, *keywords.values())
    return machine.op("unknown", found) if found else machine.open(f"what `{thing.name}` computes is not known")


def _chained(machine: Machine, thing: Thing, positional: Sequence[Value], node: ast.AST) -> Value:
    value: Value = positional[0] if len(positional) == 1 else machine.open("what a Sequential is given")
    if thing.doubt:
        found = signals(value)
        return machine.op("unknown", found) if found else machine.open(thing.doubt)
    for member in thing.attributes.values():
        value = call(machine, member, [value], {}, node)
    return value


def _defines(machine: Machine, thing: Thing, name: str) -> bool:
    return thing.cls is not None and any(isinstance(base, Class) and _has(base, name) for base in lineage(machine, thing.cls))
