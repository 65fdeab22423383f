"""The part of a script that its model depends on: what to execute so that the model exists, and nothing that trains it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.discover import files
from initcheck.discover.effects import Effects, alias_of, literal_kind
from initcheck.discover.leftovers import leftovers
from initcheck.discover.models import FileModels
from initcheck.discover.scopes import Scope, scope
from initcheck.errors import TargetError
from initcheck.records.target import Recipe
from initcheck.source.flattening import is_main_guard

INPUT_NAMES = ("initcheck_input", "example_inputs", "example_input_array")
"""The names by which a file offers a sample input."""

_ALWAYS_THERE = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__package__", "__spec__", "__builtins__"}


@dataclass(frozen=True, slots=True)
class Slice:
    """The statements to execute: `module` compiles to code with the line numbers of the file; `ranges` are the first and last lines kept."""

    recipe: Recipe
    module: ast.Module
    ranges: tuple[tuple[int, int], ...]

    @property
    def skipped(self) -> tuple[str, ...]:
        """What is not executed and matters to the reader."""
        return self.recipe.skipped


def slice_source(source: str, path: str, qualname: str) -> Slice:
    """The statements that one instance, factory or class of a file depends on.

    For an instance this includes what is done to it after it was built and before it is trained (`net.apply(init)`).
    It is a judgement from the text: names that only `exec` or another module puts in place are missed and show as a `NameError` later.

    Raises:
        TargetError: when nothing binds the name, or only a statement that trains does.
        SyntaxError: when the source is not valid Python.
    """
    tree = files.parse(source, path)
    return slice_tree(tree, path, qualname, files.digest(source.encode()))


def slice_tree(tree: ast.Module, path: str, qualname: str, digest: str) -> Slice:
    """As `slice_source`, for source that is parsed already."""
    slicer = _Slicer(tree, path, qualname.split(".", maxsplit=1)[0])
    keep = slicer.run()
    line, column, expression = slicer.origin()
    recipe = Recipe(keep, len(tree.body), slicer.skipped(keep), expression, line, column, digest, slicer.unneeded(keep))
    kept = [tree.body[index] for index in keep]
    ranges = tuple((_first_line(statement), statement.end_lineno or statement.lineno) for statement in kept)
    return Slice(recipe, ast.Module(body=kept, type_ignores=[]), ranges)


class _Slicer:
    """Works backwards from one name to everything it needs."""

    def __init__(self, tree: ast.Module, path: str, name: str) -> None:
        self.path, self.name, self.body = path, name, tree.body
        self.models = FileModels(tree)
        self.effects = Effects(self.models)
        self.scopes: list[Scope] = [scope(statement) for statement in tree.body]
        self.guards = frozenset(index for index, statement in enumerate(tree.body) if is_main_guard(statement))
        self.training = frozenset(index for index, statement in enumerate(tree.body) if self.effects.trains(statement)) - self.guards
        self.heavy = frozenset(index for index, statement in enumerate(tree.body) if self.effects.heavy(statement)) - self.guards
        self.instances = {binding.name for binding in self.models.instances()} | {name}
        self.heavy_names = {bound for index in self.heavy for bound in self._binds(index)} - self.instances
        self.tainted = self._spread(self.heavy_names)
        self.kept: set[int] = set()
        self._asked: set[tuple[str, int, bool]] = set()
        self._expanded: set[tuple[int, int]] = set()
        self._held: dict[str, frozenset[str]] = {}

    def run(self) -> tuple[int, ...]:
        """The positions of the statements to keep, in order."""
        end = len(self.body)
        made = self._made()
        # What is done to a model after its first training step is no longer its initialization.
        limit = next((index for index in sorted(self.training) if index > made), end) if self._is_instance() else end
        for index, statement in enumerate(self.body):
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                self.kept.add(index)
            elif index < limit and index not in self.heavy | self.guards and self.effects.seeds(statement):
                self._keep(index, index)
        self._need(self.name, limit)
        for name in INPUT_NAMES:
            if any(name in self._binds(index) for index in range(end)):
                self._need(name, end, soft=name != "initcheck_input")
        self._star_imports()
        return tuple(sorted(self.kept))

    def origin(self) -> tuple[int, int, str]:
        """Line, column and text of the expression that builds the model (columns count from 1)."""
        definition = self.models.classes.get(self.name) or self.models.functions.get(self.name)
        if definition is not None:
            return definition.lineno, definition.col_offset + 1, f"{self.name}()"
        found = [binding for binding in self.models.bindings if binding.name == self.name and binding.top in self.kept]
        fresh = [binding for binding in found if self.name not in self.scopes[binding.top].reads] or found
        if not fresh:
            return 0, 0, self.name
        value = fresh[-1].value
        return value.lineno, value.col_offset + 1, ast.unparse(value)

    def skipped(self, keep: tuple[int, ...]) -> tuple[str, ...]:
        """What was left out and matters to the reader."""
        held = self._aliases(self.name) if self._is_instance() else frozenset()
        left = {index: statement for index, statement in enumerate(self.body) if index not in keep}
        return leftovers(left, self.effects, self.training, held)

    def unneeded(self, keep: tuple[int, ...]) -> tuple[str, ...]:
        """The names that kept imports of several names bind without anybody asking for them; they may not even be installed."""
        asked = {name for name, _, _ in self._asked}
        found: set[str] = set()
        for index in keep:
            statement = self.body[index]
            if isinstance(statement, (ast.Import, ast.ImportFrom)) and len(statement.names) > 1 and self.scopes[index].binds & asked:
                found |= self.scopes[index].binds - asked
        return tuple(sorted(found))

    def _is_instance(self) -> bool:
        return self.name not in self.models.classes and self.name not in self.models.functions

    def _binds(self, index: int) -> frozenset[str]:
        """The names a statement binds, also through functions it calls that declare them global."""
        if index in self.guards:
            return frozenset()
        found = self.scopes[index].binds
        for called in self.scopes[index].reads & set(self.models.functions):
            found |= self._global_writes(called, frozenset())
        return found

    def _global_writes(self, name: str, seen: frozenset[str]) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for index, statement in enumerate(self.body):
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == name and name not in seen:
                found |= self.scopes[index].writes
                for called in self.scopes[index].deferred & set(self.models.functions):
                    found |= self._global_writes(called, seen | {name})
        return found

    def _made(self) -> int:
        """The position where the target is made for the first time in its last version, -1 if nothing binds it."""
        made = [index for index in range(len(self.body)) if self.name in self._binds(index) and not self._dropped(index, self.name)]
        if not made:
            self._nothing_binds()
            return -1
        fresh = [index for index in made if self.name not in self.scopes[index].reads]
        return fresh[-1] if fresh else made[0]

    def _nothing_binds(self) -> None:
        binding = next((index for index in range(len(self.body)) if self.name in self._binds(index)), None)
        if binding is not None:
            self._refuse(self.name, binding)
        if not any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in self.body):
            raise TargetError(f"{self.path} does not define {self.name} at its top level", f"initcheck {self.path}", name="unknown-name")

    def _refuse(self, name: str, index: int) -> None:
        where = f"{self.path}:{self.body[index].lineno}"
        raise TargetError(
            f"cannot build {self.name} without training: {where} trains and makes `{name}`",
            "put this into the file: def initcheck_model(): return ...  # the untrained model",
            name="needs-training",
        )

    def _need(self, name: str, before: int, *, soft: bool = False) -> bool:
        """Keeps what gives `name` its value before a position; returns whether anything does."""
        if (name, before, soft) in self._asked:
            return True
        self._asked.add((name, before, soft))
        if soft and name in self.tainted:
            return True
        found = False
        held, kind = self._aliases(name), self._kind(name)
        for index in range(before - 1, -1, -1):
            if name in self._binds(index):
                if self._dropped(index, name):
                    continue
                if index in self.training:
                    self._refuse(name, index)
                self._keep(index, before)
                found = True
                if self._definite(index):
                    break
            elif self._touches(index, held) and not (soft and index in self.heavy) and self.effects.mutates(self.body[index], held, kind):
                self._keep(index, index)
        return found

    def _keep(self, index: int, use: int) -> None:
        """Keeps a statement; what it defines may be called up to position `use`."""
        if (index, use) in self._expanded:
            return
        self._expanded.add((index, use))
        self.kept.add(index)
        for name in sorted(self.scopes[index].reads):
            self._need(name, index)
        for name in sorted(self.scopes[index].deferred):
            if not self._need(name, use):
                self._need_from(name, use)
        for name in sorted(self.scopes[index].later):
            if not self._need(name, use, soft=True):
                self._need_from(name, use)

    def _spread(self, names: set[str]) -> set[str]:
        """The names that are computed from others, those included."""
        spread, size = set(names), -1
        while len(spread) != size:
            size = len(spread)
            for index, statement in enumerate(self.body):
                reads = self.scopes[index].reads
                if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    reads |= self.scopes[index].deferred
                if reads & spread:
                    spread |= self._binds(index) - self.instances
        return spread

    def _need_from(self, name: str, start: int) -> None:
        """Keeps the first light statement after a position that binds `name`: a method may read it long after."""
        if name in self.tainted:
            return
        for index in range(start, len(self.body)):
            if name in self._binds(index):
                self._keep(index, len(self.body))
                return

    def _dropped(self, index: int, name: str) -> bool:
        """Whether a binding only hands back what was there before, trained or wrapped with data and optimizer."""
        earlier = any(name in self._binds(other) and other not in self.training for other in range(index))
        if not earlier:
            return False
        reads = self.scopes[index].reads
        return index in self.training or (name in self.instances and name in reads and bool(reads & self.heavy_names))

    def _definite(self, index: int) -> bool:
        """Whether a statement binds its names for certain, so that earlier values do not matter."""
        if isinstance(self.body[index], (ast.If, ast.For, ast.While, ast.Try, ast.Match, ast.With, ast.Expr, ast.AsyncFor)):
            return False
        return bool(self.scopes[index].binds)

    def _touches(self, index: int, held: frozenset[str]) -> bool:
        if index in self.guards:
            return False
        reads = self.scopes[index].reads
        called = reads & set(self.models.functions) if isinstance(self.body[index], ast.Expr) else frozenset()
        inside = (self.scopes[other].deferred for other, node in enumerate(self.body) if getattr(node, "name", None) in called)
        return bool(held & reads) or any(held & names for names in inside)

    def _aliases(self, name: str) -> frozenset[str]:
        """The name and the top-level names of parts of the same object (`fc = net.fc`)."""
        if name not in self._held:
            held = {name}
            for binding in self.models.bindings:
                if alias_of(binding.value) in held and literal_kind(binding.value) == "object":
                    held.add(binding.name)
            self._held[name] = frozenset(held)
        return self._held[name]

    def _kind(self, name: str) -> str:
        if name in self.models.classes:
            return "import" if self.models.is_module_class(name) else "object"
        if name in self.models.functions or name in self.models.names.aliases:
            return "import"
        if name in self.instances:
            return "model"
        values = [literal_kind(binding.value) for binding in self.models.bindings if binding.name == name]
        return values[-1] if values else "object"

    def _star_imports(self) -> None:
        """Keeps `from x import *` when a name that is needed comes from nowhere else."""
        bound = {name for index in range(len(self.body)) for name in self._binds(index)} | _ALWAYS_THERE
        if any(name not in bound for name, _, _ in self._asked):
            self.kept |= set(_stars(self.body))
        if any(name == "__doc__" for name, _, _ in self._asked) and ast.get_docstring(ast.Module(self.body, [])) is not None:
            self.kept.add(0)


def _stars(body: list[ast.stmt]) -> Iterator[int]:
    for index, statement in enumerate(body):
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            yield index


def _first_line(statement: ast.stmt) -> int:
    marks: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(mark.lineno for mark in marks)])
