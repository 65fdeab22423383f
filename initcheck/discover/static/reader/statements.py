"""Statements: what they bind, which branch they take, how often a loop runs, as far as the text says."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from initcheck.discover.static.known.tensors import arithmetic_in_place
from initcheck.discover.static.reader.assignment import assign
from initcheck.discover.static.reader.folding import binary, listed, truth
from initcheck.discover.static.reader.machine import Broke, Continued, Machine, Raised, Returned
from initcheck.discover.static.reader.values import Class, Dotted, Function, Opaque, Scope, Tensor, Thing, View

ROUNDS = 2000
_LOST = (ImportError.__name__, ModuleNotFoundError.__name__)


def run(machine: Machine, body: Sequence[ast.stmt], scope: Scope) -> None:
    """Reads statements in order."""
    for statement in body:
        machine.step()
        handler = _HANDLERS.get(type(statement))
        if handler is not None:
            handler(machine, statement, scope)


def maybe(machine: Machine, body: Sequence[ast.stmt], scope: Scope, reason: str) -> None:
    """Reads statements that may or may not be executed."""
    with machine.maybe(reason):
        try:
            run(machine, body, scope)
        except Returned as returned:
            machine.frame.returned.append(returned.value)
            machine.frame.left = machine.frame.left or reason
        except (Broke, Continued):
            machine.frame.left = machine.frame.left or reason
        except Raised:
            return


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> None:
    value = machine.read(node.value, scope)
    for target in node.targets:
        assign(machine, target, value, scope)


def _annotated(machine: Machine, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        assign(machine, node.target, machine.read(node.value, scope), scope)


def _augmented(machine: Machine, node: ast.AugAssign, scope: Scope) -> None:
    reading = ast.copy_location(_loaded(node.target), node.target)
    before, change = machine.read(reading, scope), machine.read(node.value, scope)
    if isinstance(before, (Tensor, View)):
        arithmetic_in_place(machine, before, type(node.op).__name__, change, node)
        return
    if isinstance(before, list) and isinstance(node.op, ast.Add):
        more = listed(machine, change)
        unsure = machine.unsure
        before.extend([Opaque(unsure, rest=True)] if unsure else more if more is not None else [Opaque("not known", rest=True)])
        return
    assign(machine, node.target, binary(machine, before, type(node.op).__name__, change, node), scope)


def _loaded(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())


def _if(machine: Machine, node: ast.If, scope: Scope) -> None:
    verdict = truth(machine.read(node.test, scope))
    if verdict is not None:
        run(machine, node.body if verdict else node.orelse, scope)
        return
    reason = f"{machine.where(node)} decides it at run time"
    if _fails(node.body):
        run(machine, node.orelse, scope)
    elif _fails(node.orelse):
        run(machine, node.body, scope)
    else:
        maybe(machine, node.body, scope, reason)
        maybe(machine, node.orelse, scope, reason)


def _fails(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise)


def _for(machine: Machine, node: ast.For, scope: Scope) -> None:
    items = listed(machine, machine.read(node.iter, scope))
    machine.frame.loops += 1
    try:
        if items is None or len(items) > ROUNDS:
            reason = f"the loop in {machine.where(node)} is over something that is not known"
            with machine.maybe(reason):
                assign(machine, node.target, Opaque(reason), scope)
            maybe(machine, node.body, scope, reason)
            return
        for item in items:
            if isinstance(item, Opaque) and item.rest:
                with machine.maybe(item.reason):
                    assign(machine, node.target, Opaque(item.reason), scope)
                maybe(machine, node.body, scope, item.reason)
                continue
            assign(machine, node.target, item, scope)
            if not _round(machine, node.body, scope):
                return
    finally:
        machine.frame.loops -= 1
    run(machine, node.orelse, scope)


def _round(machine: Machine, body: list[ast.stmt], scope: Scope) -> bool:
    """One round of a loop; whether another may follow."""
    try:
        run(machine, body, scope)
    except Continued:
        return True
    except Broke:
        return False
    return True


def _while(machine: Machine, node: ast.While, scope: Scope) -> None:
    machine.frame.loops += 1
    try:
        for _ in range(ROUNDS):
            verdict = truth(machine.read(node.test, scope))
            if verdict is None:
                maybe(machine, node.body, scope, f"the loop in {machine.where(node)} runs as often as it takes")
            if not verdict or not _round(machine, node.body, scope):
                return
    finally:
        machine.frame.loops -= 1


def _try(machine: Machine, node: ast.Try, scope: Scope) -> None:
    run(machine, node.body, scope)
    run(machine, node.orelse, scope)
    for handler in node.handlers:
        named = ast.unparse(handler.type) if handler.type is not None else ""
        if not any(word in named for word in _LOST):
            maybe(machine, handler.body, scope, f"{machine.where(handler)} runs only after an error")
    run(machine, node.finalbody, scope)


def _with(machine: Machine, node: ast.With, scope: Scope) -> None:
    for item in node.items:
        entered = machine.read(item.context_expr, scope)
        if item.optional_vars is not None:
            assign(
                machine,
                item.optional_vars,
                machine.open("what a `with` gives is not known") if not isinstance(entered, Thing) else entered,
                scope,
            )
    run(machine, node.body, scope)


def _function(machine: Machine, node: ast.FunctionDef, scope: Scope) -> None:
    harmless = ("no_grad", "inference_mode", "wraps", "lru_cache", "cache", "register_model", "handle_legacy_interface", "register")
    known = all(any(word in ast.unparse(mark) for word in harmless) for mark in node.decorator_list)
    scope.names[node.name] = Function(node, scope) if known else machine.open(f"`{node.name}` is changed by a decorator")


def _class(machine: Machine, node: ast.ClassDef, scope: Scope) -> None:
    del machine
    scope.names[node.name] = Class(node, scope)


def _import(machine: Machine, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        bound = alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)
        scope.names[bound] = Dotted(machine.names.aliases.get(bound, bound))


def _return(machine: Machine, node: ast.Return, scope: Scope) -> None:
    raise Returned(machine.read(node.value, scope) if node.value is not None else None)


def _raise(machine: Machine, node: ast.Raise, scope: Scope) -> None:
    del scope
    raise Raised(machine.where(node))


def _delete(machine: Machine, node: ast.Delete, scope: Scope) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.names.pop(target.id, None)
        elif isinstance(target, ast.Attribute):
            owner = machine.read(target.value, scope)
            if isinstance(owner, Thing):
                owner.attributes.pop(target.attr, None)


def _match(machine: Machine, node: ast.Match, scope: Scope) -> None:
    machine.read(node.subject, scope)
    for case in node.cases:
        maybe(machine, case.body, scope, f"{machine.where(node)} decides it at run time")


def _break(machine: Machine, node: ast.Break, scope: Scope) -> None:
    del machine, node, scope
    raise Broke


def _continue(machine: Machine, node: ast.Continue, scope: Scope) -> None:
    del machine, node, scope
    raise Continued


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> None:
    machine.read(node.value, scope)


_HANDLERS: dict[type[ast.stmt], Callable[..., None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.Try: _try,
    ast.With: _with,
    ast.FunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Delete: _delete,
    ast.Match: _match,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Expr: _expression,
}
