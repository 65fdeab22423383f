"""The models that a file offers, and which of them are checked when only the file is named."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from initcheck.discover.effects import Effects
from initcheck.discover.models import FLUENT, WRAPPERS, Binding, FileModels
from initcheck.source.flattening import is_main_guard

WANTED = "initcheck_model"
"""The function by which a file says itself what to check."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something in a file that is a model or makes one.

    `needs` are the arguments without a default; `component` says that another candidate is made of it; `signature` is the source of
    the parameters of a factory or class; `chain` the functions inside which an instance is made (see `source.flattening`).
    """

    qualname: str
    kind: Literal["instance", "factory", "class"]
    line: int
    expression: str
    needs: tuple[str, ...] = ()
    component: bool = False
    signature: str = ""
    chain: tuple[str, ...] = ()


def candidates(source: str, path: str) -> tuple[Candidate, ...]:
    """All models of a file, in order of their lines: instances, factories, classes; nothing is executed.

    Raises:
        SyntaxError: when the source is not valid Python.
    """
    return of_tree(ast.parse(source, path))


def of_tree(tree: ast.Module) -> tuple[Candidate, ...]:
    """As `candidates`, for source that is parsed already."""
    models = FileModels(tree)
    found = [*instances_of(models), *_factories(models), *_classes(models)]
    return tuple(sorted(found, key=lambda candidate: candidate.line))


def chosen(found: tuple[Candidate, ...], inner: tuple[Candidate, ...] = ()) -> tuple[Candidate, ...]:
    """What is checked when a file is named without an object.

    `initcheck_model()` before all; else the instances at the top level that have a name; else those that the script makes inside functions (`inner`);
    else factories and classes that are not a component of another candidate, those that need no arguments before the others.
    """
    wanted = tuple(candidate for candidate in found if candidate.qualname == WANTED)
    if wanted:
        return wanted
    instances = tuple(candidate for candidate in found if candidate.kind == "instance" and not candidate.component and _kept(candidate))
    if instances:
        return instances
    made = tuple(candidate for candidate in inner if not candidate.component and _kept(candidate))
    if made:
        return made
    plain = tuple(candidate for candidate in found if not candidate.component and candidate.kind != "instance" and _presentable(candidate))
    return tuple(candidate for candidate in plain if not candidate.needs) or plain


def _presentable(candidate: Candidate) -> bool:
    return not candidate.qualname.startswith(("_", "test"))


def _kept(candidate: Candidate) -> bool:
    """Not bound to `_`, which says that nobody wants it: `_ = Net(None)` tries whether the file imports."""
    return bool(candidate.qualname.rpartition(".")[2].strip("_"))


def instances_of(models: FileModels) -> Iterator[Candidate]:
    """The instances that the top level binds."""
    instances = models.instances()
    latest: dict[str, Binding] = {}
    for binding in instances:
        rewrap = binding.name in latest and binding.name in _loaded(binding.value)
        if not rewrap:
            latest[binding.name] = binding
    pieces = _pieces(models, set(latest))
    for name, binding in latest.items():
        if _is_copy(models, binding.value) or _same(models, binding.value) in set(latest) - {name}:
            continue
        yield Candidate(name, "instance", binding.value.lineno, ast.unparse(binding.value), component=name in pieces)


def _pieces(models: FileModels, names: set[str]) -> set[str]:
    """The instances out of which another instance is built, or that are put into one."""
    pieces: set[str] = set()
    same = {binding.name: _same(models, binding.value) for binding in models.instances()}
    for binding in models.instances():
        if binding.name in names and not _is_copy(models, binding.value) and not _same(models, binding.value):
            pieces |= (_loaded(binding.value) & names) - {binding.name}
    for statement in models.tree.body:
        if isinstance(statement, ast.Assign) and not is_main_guard(statement):
            for target in statement.targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in names:
                    held = statement.value.id if isinstance(statement.value, ast.Name) else ""
                    pieces |= {held} & names
    return pieces | ({same[name] for name in pieces if name in same} & names)


def _factories(models: FileModels) -> Iterator[Candidate]:
    users = _uses(models)
    effects = Effects(models)
    for node in models.factories():
        if effects.function_trains(node.name):
            continue  # it hands back what it trained
        needs = _required(node.args, method=False)
        component = any(node.name in used for user, used in users.items() if user != node.name)
        yield Candidate(node.name, "factory", node.lineno, f"{node.name}()", needs, component, ast.unparse(node.args))
    if WANTED in models.functions and not models.is_factory(WANTED):  # the file says so, whatever can be seen of it
        node = models.functions[WANTED]
        yield Candidate(WANTED, "factory", node.lineno, f"{WANTED}()", _required(node.args, method=False), signature=ast.unparse(node.args))


def _classes(models: FileModels) -> Iterator[Candidate]:
    users = _uses(models)
    for node in models.module_classes():
        if _abstract(node):
            continue
        arguments = models.signature(node.name)
        if arguments is not None:
            needs, signature = _required(arguments, method=True), ast.unparse(arguments).removeprefix("self").removeprefix(", ")
        else:
            needs, signature = _fields(node), ""
        component = any(node.name in used for user, used in users.items() if user != node.name)
        yield Candidate(node.name, "class", node.lineno, f"{node.name}()", needs, component, signature)


def _uses(models: FileModels) -> dict[str, set[str]]:
    """For each class and factory that makes modules, the names that it mentions.

    A private factory hides nothing by itself: what it mentions counts for those who call it.
    """
    makers = {maker.name: _loaded(maker) for maker in [*models.module_classes(), *models.factories()]}
    private = {maker.name for maker in models.factories() if maker.name.startswith(("_", "test"))}
    for used in makers.values():
        waiting = used & private
        while waiting:
            inner = makers[waiting.pop()]
            waiting |= (inner & private) - used
            used.update(inner)
    return {name: used for name, used in makers.items() if name not in private}


def _loaded(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}


def _required(arguments: ast.arguments, *, method: bool) -> tuple[str, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)][1 if method else 0 :]
    keywords = [name for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return tuple(argument.arg for argument in [*required, *keywords])


def _fields(node: ast.ClassDef) -> tuple[str, ...]:
    """The fields without a default of a dataclass."""
    if not any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return ()
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value is None]
    return tuple(item.target.id for item in fields if isinstance(item.target, ast.Name))


def _abstract(node: ast.ClassDef) -> bool:
    return any(
        "abstractmethod" in ast.unparse(mark) for item in node.body if isinstance(item, ast.FunctionDef) for mark in item.decorator_list
    )


def _is_copy(models: FileModels, value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and models.names.dotted(value.func) == "copy.deepcopy"


def _same(models: FileModels, value: ast.expr) -> str:
    """The name of the instance that an expression hands back itself (`model.to(device)`), empty if it makes another one."""
    while isinstance(value, ast.Call):
        if value.args and models.names.dotted(value.func) in WRAPPERS:
            value = value.args[0]
        elif isinstance(value.func, ast.Attribute) and value.func.attr in FLUENT:
            value = value.func.value
        else:
            return ""
    return value.id if isinstance(value, ast.Name) else ""
