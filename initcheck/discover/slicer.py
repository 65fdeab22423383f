"""Working backwards from one name of a script to every statement that it needs."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Iterator

from initcheck.discover.effects import Effects, alias_of, literal_kind
from initcheck.discover.leftovers import leftovers
from initcheck.discover.models import FileModels
from initcheck.discover.scopes import Scope, scope
from initcheck.errors import TargetError
from initcheck.source.flattening import is_main_guard

INPUT_NAMES = ("initcheck_input", "example_inputs", "example_input_array")
"""The names by which a file offers a sample input."""

ALWAYS_THERE = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__package__", "__spec__", "__builtins__"}
"""Names that no statement has to bind."""


class Script:
    """What is known of the statements of a file, whatever is asked for."""

    def __init__(self, tree: ast.Module) -> None:
        self.body = tree.body
        self.models = FileModels(tree)
        self.effects = Effects(self.models)
        self.scopes: list[Scope] = [scope(statement) for statement in tree.body]
        self.guards = frozenset(index for index, statement in enumerate(tree.body) if is_main_guard(statement))
        self.training = frozenset(index for index, statement in enumerate(tree.body) if self.effects.trains(statement)) - self.guards
        self.heavy = frozenset(index for index, statement in enumerate(tree.body) if self.effects.heavy(statement)) - self.guards


class Slicer:
    """Works backwards from one name to everything it needs."""

    def __init__(self, script: Script, path: str, name: str) -> None:
        self.path, self.name, self.body = path, name, script.body
        self.models, self.effects, self.scopes = script.models, script.effects, script.scopes
        self.guards, self.training, self.heavy = script.guards, script.training, script.heavy
        self.instances = {binding.name for binding in self.models.instances()} | {name}
        self.heavy_names = {bound for index in self.heavy for bound in self.binds(index)} - self.instances
        self.tainted = self._spread(self.heavy_names)
        self.given = ""
        """A name that needs nothing, because somebody else gives it its value."""
        self.opaque: Callable[[str], bool] = lambda _: False
        """Whether a name shall not be traced back any further; what is needed of such names is gathered in `unknown`."""
        self.unknown: set[str] = set()
        self.kept: set[int] = set()
        self._asked: set[tuple[str, int, bool]] = set()
        self._expanded: set[tuple[int, int]] = set()
        self._held: dict[str, frozenset[str]] = {}

    def run(self, extra: Collection[str] = ()) -> tuple[int, ...]:
        """The positions of the statements to keep, in order, so that the target and the names in `extra` exist."""
        end = len(self.body)
        made = self.made()
        limit = self.limit(made) if self.is_instance() else end
        for index, statement in enumerate(self.body):
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                self.kept.add(index)
            elif index < limit and index not in self.heavy | self.guards and self.effects.seeds(statement):
                self.keep(index, index)
        for name in (self.name, *extra):
            self.need(name, limit)
        for name in INPUT_NAMES:
            if any(name in self.binds(index) for index in range(end)):
                self.need(name, end, soft=name != "initcheck_input")
        self._star_imports()
        return tuple(sorted(self.kept))

    def limit(self, made: int) -> int:
        """The position of the first training after `made`: what is done to a model later is no longer its initialization."""
        return next((index for index in sorted(self.training) if index > made), len(self.body))

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
        held = self.aliases(self.name) if self.is_instance() else frozenset()
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

    def is_instance(self) -> bool:
        """Whether the target is an object that the script makes, not a definition."""
        return self.name not in self.models.classes and self.name not in self.models.functions

    def binds(self, index: int) -> frozenset[str]:
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

    def made(self) -> int:
        """The position where the target is made for the first time in its last version, -1 if nothing binds it."""
        made = [index for index in range(len(self.body)) if self.name in self.binds(index) and not self._dropped(index, self.name)]
        if not made:
            self._nothing_binds()
            return -1
        fresh = [index for index in made if self.name not in self.scopes[index].reads]
        return fresh[-1] if fresh else made[0]

    def _nothing_binds(self) -> None:
        binding = next((index for index in range(len(self.body)) if self.name in self.binds(index)), None)
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

    def need(self, name: str, before: int, *, soft: bool = False) -> bool:
        """Keeps what gives `name` its value before a position; returns whether anything does."""
        if (name, before, soft) in self._asked or name == self.given:
            return True
        self._asked.add((name, before, soft))
        if name != self.name and self.opaque(name):
            if not soft:
                self.unknown.add(name)
            return True
        if soft and name in self.tainted:
            return True
        found = False
        held, kind = self.aliases(name), self._kind(name)
        for index in range(before - 1, -1, -1):
            if name in self.binds(index):
                if self._dropped(index, name):
                    continue
                if index in self.training:
                    self._refuse(name, index)
                self.keep(index, before)
                found = True
                if self._definite(index):
                    break
            elif self._touches(index, held) and not (soft and index in self.heavy) and self.effects.mutates(self.body[index], held, kind):
                self.keep(index, index)
        return found

    def keep(self, index: int, use: int) -> None:
        """Keeps a statement; what it defines may be called up to position `use`."""
        if (index, use) in self._expanded:
            return
        self._expanded.add((index, use))
        self.kept.add(index)
        for name in sorted(self.scopes[index].reads):
            self.need(name, index)
        for name in sorted(self.scopes[index].deferred):
            if not self.need(name, use):
                self._need_from(name, use)
        for name in sorted(self.scopes[index].later):
            if not self.need(name, use, soft=True):
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
                    spread |= self.binds(index) - self.instances
        return spread

    def _need_from(self, name: str, start: int) -> None:
        """Keeps the first light statement after a position that binds `name`: a method may read it long after."""
        if name in self.tainted:
            return
        for index in range(start, len(self.body)):
            if name in self.binds(index):
                self.keep(index, len(self.body))
                return

    def _dropped(self, index: int, name: str) -> bool:
        """Whether a binding only hands back what was there before, trained or wrapped with data and optimizer."""
        earlier = any(name in self.binds(other) and other not in self.training for other in range(index))
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

    def aliases(self, name: str) -> frozenset[str]:
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
        bound = {name for index in range(len(self.body)) for name in self.binds(index)} | ALWAYS_THERE
        if any(name not in bound for name, _, _ in self._asked):
            self.kept |= set(_stars(self.body))
        if any(name == "__doc__" for name, _, _ in self._asked) and ast.get_docstring(ast.Module(self.body, [])) is not None:
            self.kept.add(0)


def _stars(body: list[ast.stmt]) -> Iterator[int]:
    for index, statement in enumerate(body):
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            yield index
