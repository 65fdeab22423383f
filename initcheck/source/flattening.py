"""A script whose model is made inside `main()`, as if its statements stood at the top level.

What is inside `if __name__ == "__main__":` and inside the functions called from there is put behind the top level of the file, so that the
same reasoning finds what a model depends on. The result is only ever executed in part.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Sequence

from initcheck.source.calls import MODULE_METHODS, last_name, receivers

GUARD = "__main__"
"""The step of a chain that stands for the main guard."""

_WORK = frozenset({"backward", "step", "fit", "train", "main", "run", "train_model", "train_epoch", "train_one_epoch", "learn"})
_CLICK = frozenset({"option", "argument"})


def flattened(tree: ast.Module, chain: Sequence[str]) -> ast.Module:
    """The top level, followed by what the steps of `chain` execute, such as `("__main__", "main", "train")`; the tree itself for no chain.

    Arguments of the calls on the way become assignments. Loops, `with`, `if` and `try` around both the making of a model and its training
    are opened; a loop then stands for its first round.
    """
    if not chain:
        return tree
    unfolding = _Unfolding(tree)
    guard = main_guard(tree)
    body = [statement for statement in tree.body if statement is not guard]
    first, *rest = chain
    if first == GUARD:
        body += unfolding.of(guard.body if guard is not None else [], rest)
    elif any(_calls(statement, first) for statement in body):
        body = unfolding.of(body, chain)
    else:
        body += unfolding.inside(unfolding.functions[first], None, rest)
    return ast.fix_missing_locations(ast.Module(body, tree.type_ignores))


def main_guard(tree: ast.Module) -> ast.If | None:
    """The `if __name__ == "__main__":` of a file."""
    return next((statement for statement in tree.body if isinstance(statement, ast.If) and is_main_guard(statement)), None)


def is_main_guard(statement: ast.AST) -> bool:
    """Whether this is `if __name__ == "__main__":`."""
    if not isinstance(statement, ast.If) or not isinstance(statement.test, ast.Compare) or len(statement.test.ops) != 1:
        return False
    sides = (statement.test.left, statement.test.comparators[0])
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    literal = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
    return named and literal and isinstance(statement.test.ops[0], ast.Eq)


def chains(tree: ast.Module) -> tuple[tuple[str, ...], ...]:
    """The ways into a file, at most four steps deep: the guard and what it calls, what the top level calls, and functions that nobody calls."""
    functions = top_functions(tree)
    guard = main_guard(tree)
    top = [statement for statement in tree.body if statement is not guard and not isinstance(statement, (ast.FunctionDef, ast.ClassDef))]
    found: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[tuple[str, ...], Iterable[ast.AST]]] = [((), top)]
    if guard is not None:
        waiting.append(((GUARD,), guard.body))
    while waiting:
        chain, body = waiting.pop(0)
        for name in _called_names(body):
            if name in functions and name not in found and len(chain) < 4:
                found[name] = (*chain, name)
                waiting.append((found[name], functions[name].body))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    alone = [(name,) for name in functions if name not in found and name not in called]
    return (*(((GUARD,),) if guard is not None else ()), *found.values(), *alone)


def top_functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions at the top level of a file that can be opened: no generators and no coroutines."""
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and not _yields(node)}


def defaults_of(block: ast.FunctionDef | ast.If) -> dict[str, ast.expr]:
    """The default values of the parameters of a function, those of its command line options included; a guard has none."""
    if isinstance(block, ast.If):
        return {}
    arguments = block.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    values: dict[str, ast.expr] = dict(_options(block))
    values.update(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    values.update({a.arg: default for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is not None})
    return values


class _Unfolding:
    """Opens the functions of one file."""

    def __init__(self, tree: ast.Module) -> None:
        self.functions = top_functions(tree)
        self._receivers = receivers(tree, MODULE_METHODS)

    def of(self, statements: Sequence[ast.stmt], chain: Sequence[str]) -> list[ast.stmt]:
        """The statements up to the call of the first step of the chain, and then what that executes; all of them for no chain."""
        made: list[ast.stmt] = []
        for statement in statements:
            call = _call_of(statement, chain[0]) if chain else None
            if call is not None and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                if isinstance(statement, (ast.If, ast.For, ast.With, ast.Try, ast.While)):
                    return [*made, *self._opened(statement, chain)]
                return [*made, *self.inside(self.functions[chain[0]], call, chain[1:])]
            made += self._opened(statement, ()) if self._to_open(statement) else [statement]
        return [*made, *self.inside(self.functions[chain[0]], None, chain[1:])] if chain else made

    def inside(self, function: ast.FunctionDef, call: ast.Call | None, rest: Sequence[str]) -> list[ast.stmt]:
        """The body of a function with its arguments bound."""
        body = [_Loosened().visit(copy.deepcopy(statement)) for statement in function.body]
        return [*_bound(function, call), *self.of(body, rest)]

    def _to_open(self, statement: ast.stmt) -> bool:
        """Whether a block both makes a model and trains it."""
        if not isinstance(statement, (ast.If, ast.For, ast.With, ast.Try, ast.While)) or is_main_guard(statement):
            return False
        nodes = list(ast.walk(statement))
        makes = any(
            isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id in self._receivers for target in node.targets)
            for node in nodes
        )
        return makes and any(isinstance(node, ast.Call) and last_name(node.func) in _WORK for node in nodes)

    def _opened(self, statement: ast.stmt, chain: Sequence[str]) -> list[ast.stmt]:
        if isinstance(statement, ast.For):
            return [_first_round(statement), *self.of(statement.body, chain)]
        if isinstance(statement, ast.With):
            named = [(item.optional_vars, item.context_expr) for item in statement.items if item.optional_vars is not None]
            return [*(_assigned(target, value) for target, value in named), *self.of(statement.body, chain)]
        if isinstance(statement, ast.If):
            branches = [statement.body, statement.orelse]
            inside = [branch for branch in branches if not chain or any(_calls(inner, chain[0]) for inner in branch)]
            making = [branch for branch in inside if any(self._to_open(inner) or self._makes(inner) for inner in branch)]
            return self.of((making or inside or branches)[0], chain)
        assert isinstance(statement, (ast.Try, ast.While))
        return self.of(statement.body, chain)

    def _makes(self, statement: ast.stmt) -> bool:
        return isinstance(statement, ast.Assign) and any(isinstance(t, ast.Name) and t.id in self._receivers for t in statement.targets)


class _Loosened(ast.NodeTransformer):
    """A function body that may stand outside a function: without `return`, and with `global` for `nonlocal`."""

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        kept = ast.Pass() if node.value is None else ast.Expr(node.value)
        return ast.copy_location(kept, node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        return ast.copy_location(ast.Global(node.names), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Nonlocal):
                inner.__class__ = ast.Global  # type: ignore[assignment]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node


def _bound(function: ast.FunctionDef, call: ast.Call | None) -> Iterator[ast.stmt]:
    """Assignments that give the parameters of a function the values of a call, of its defaults, or of its command line options."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    values = defaults_of(function)
    if call is not None and not any(isinstance(value, ast.Starred) for value in call.args):
        values.update(zip(names, call.args, strict=False))
        values.update({item.arg: item.value for item in call.keywords if item.arg is not None})
    for name, value in values.items():
        if not (isinstance(value, ast.Name) and value.id == name):
            yield _assigned(ast.Name(name, ast.Store()), value)


def _options(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """The defaults of `@click.option("--hidden-size", default=64)`."""
    for mark in function.decorator_list:
        if not isinstance(mark, ast.Call) or last_name(mark.func) not in _CLICK:
            continue
        flags = [value.value for value in mark.args if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        default = next((item.value for item in mark.keywords if item.arg == "default"), None)
        if flags and default is not None:
            named = next((flag for flag in flags if flag.isidentifier()), max(flags, key=len))
            yield named.lstrip("-").replace("-", "_"), default


def _assigned(target: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.copy_location(ast.Assign([copy.deepcopy(target)], value), value)


def _first_round(loop: ast.For) -> ast.stmt:
    iterator = ast.Call(ast.Name("iter", ast.Load()), [loop.iter], [])
    return _assigned(loop.target, ast.copy_location(ast.Call(ast.Name("next", ast.Load()), [iterator], []), loop.iter))


def _call_of(statement: ast.AST, name: str) -> ast.Call | None:
    """A call of the function `name` in a statement; a call that only hands it on (`spawn(main, ...)`) does not count."""
    found = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
    return next((node for node in found if isinstance(node.func, ast.Name) and node.func.id == name), None)


def _calls(statement: ast.AST, name: str) -> bool:
    return not isinstance(statement, (ast.FunctionDef, ast.ClassDef)) and _call_of(statement, name) is not None


def _called_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """The plain names that a body calls or hands to another function, in order."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                yield from (part.id for part in (node.func, *node.args) if isinstance(part, ast.Name))


def _yields(function: ast.FunctionDef) -> bool:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return False
