"""All ways to build one candidate of a file, most faithful first: as the script does it, with open arguments, from its call sites, by guessing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace

from initcheck.discover import shown
from initcheck.discover.candidates import Candidate
from initcheck.discover.elsewhere import Project, Site, in_docstrings
from initcheck.discover.files import SourceFile
from initcheck.discover.names import root_name
from initcheck.discover.openings import Opening, holes_in, maker, names_in
from initcheck.discover.slicer import ALWAYS_THERE, Script, Slicer
from initcheck.discover.unknowns import afterwards, fillers, known, plainly_known, rests_on_data
from initcheck.errors import TargetError
from initcheck.records.target import Recipe
from initcheck.source.calls import unsettled
from initcheck.source.flattening import defaults_of, flattened, is_main_guard

_SITES = 4
"""Call sites that are tried for one class, at most."""


class Ways:
    """The ways into one file."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.options = shown.options(source.tree)
        self._constants = shown.constants(source.tree)
        self._blocks: list[ast.FunctionDef | ast.If] = [
            node
            for node in ast.walk(source.tree)
            if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and is_main_guard(node))
        ]
        self._project = Project(source.path)
        self._calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
        self._scripts: dict[tuple[str, ...], Script] = {}
        self.models = self._script(()).models

    def _script(self, chain: tuple[str, ...]) -> Script:
        if chain not in self._scripts:
            self._scripts[chain] = Script(flattened(self.source.tree, chain))
        return self._scripts[chain]

    def recipes(self, candidate: Candidate) -> tuple[Recipe, ...]:
        """The recipes for a candidate, in the order in which they are to be tried.

        Raises:
            TargetError: when there is none, because only a statement that trains makes it.
        """
        found: list[Recipe] = []
        problem: TargetError | None = None
        for way in self._ways(candidate):
            try:
                recipe = way()
            except TargetError as refusal:
                problem = problem or refusal
                continue
            if recipe is not None and not any(_same(recipe, other) for other in found):
                found.append(recipe)
        if not found:
            assert problem is not None
            raise problem
        return tuple(found)

    def _ways(self, candidate: Candidate) -> Iterator[Callable[[], Recipe | None]]:
        if candidate.kind != "instance":
            yield from self._ways_of_definition(candidate.qualname, needs=bool(candidate.needs))
            return
        name, chain = candidate.qualname.rsplit(".", 1)[-1], candidate.chain
        yield lambda: self.sliced(name, chain)
        yield lambda: self.opened(name, chain, bare=False)
        yield lambda: self.opened(name, chain, bare=True)
        called = self.callee(name, chain)
        if called in self.models.classes or called in self.models.functions:
            yield from self._ways_of_definition(called)

    def _ways_of_definition(self, name: str, *, needs: bool | None = None) -> Iterator[Callable[[], Recipe | None]]:
        """The definition without arguments, if it needs none; else its call sites, those that leave nothing open before the others."""
        if needs is False:
            yield lambda: self.sliced(name, ())
        found = [self.from_call(name, call) for call in self.call_sites(name)]
        if needs:
            found += [self.from_call(name, call) for call in in_docstrings(self.source.tree, name)]
            found += [self.from_site(name, site) for site in self._project.sites(name)]
        called = [recipe for recipe in found if recipe is not None]
        for recipe in sorted(called, key=lambda recipe: "..." in recipe.call):
            yield lambda recipe=recipe: recipe  # type: ignore[misc]
        if needs is not False:
            yield lambda: self.from_call(name, ast.Call(ast.Name(name, ast.Load()), [ast.Constant(...)], []))

    def slicer(self, name: str, chain: tuple[str, ...] = ()) -> Slicer:
        """A fresh search for what a name needs."""
        return Slicer(self._script(chain), self.source.path, name)

    def sliced(self, name: str, chain: tuple[str, ...]) -> Recipe | None:
        """The statements that make the name as the script does it; nothing when they rest on data or on arguments that nobody gives."""
        slicer = self.slicer(name, chain)
        if chain and self._value(slicer, name) is not None and any(rests_on_data(slicer, read) for read in self._reads(slicer, name)):
            return None
        keep = slicer.run()
        line, column, expression = slicer.origin()
        return replace(self._recipe(slicer, keep, expression, line, column), chain=chain)

    def opened(self, name: str, chain: tuple[str, ...], *, bare: bool) -> Recipe | None:
        """The call that makes an instance, with holes for what rests on data; `bare` trusts nothing but definitions and literals."""
        slicer = self.slicer(name, chain)
        call = self._maker(slicer, name)
        if call is None:
            return None
        knows = plainly_known(slicer) if bare else known(slicer)
        local = {binding.name: binding.value for binding in slicer.models.bindings if binding.name != name}
        opened = Opening(slicer.models, knows, local, self.options).of(call)
        if opened is None:
            return None
        slicer.opaque = lambda read: rests_on_data(slicer, read)
        made = slicer.made()
        for read in sorted(names_in(opened) | (fillers(slicer) if holes_in(opened) else frozenset())):
            slicer.need(read, made)
        keep = tuple(sorted(slicer.kept))
        after = afterwards(slicer, name, made, knows if bare else lambda _: True)
        keep = (*keep, *(index for index in sorted(slicer.kept) if index not in keep and index not in after))
        if not holes_in(opened) and not slicer.unknown:
            return None
        keep = tuple(sorted(keep))
        recipe = self._recipe(slicer, keep, ast.unparse(opened), call.lineno, call.col_offset + 1, after)
        return replace(recipe, chain=chain, call=recipe.expression, bind=name, unknown=tuple(sorted(slicer.unknown)))

    def from_call(self, name: str, call: ast.Call) -> Recipe | None:
        """A definition of the file, called as somewhere in the file, with holes for what only that place knows."""
        slicer = self.slicer(name)
        top = {binding.name: binding.value for binding in self.models.bindings}
        local = {**top, **self._constants, **self._local_values(call)}
        opened = Opening(self.models, plainly_known(slicer), local, self.options).of(call)
        if opened is None:
            return None
        return self._called(slicer, opened, getattr(call, "lineno", 0), getattr(call, "col_offset", -1) + 1)

    def from_site(self, name: str, site: Site) -> Recipe | None:
        """A definition of the file, called as in another file of the project."""
        slicer = self.slicer(name)
        opened = Opening(self.models, plainly_known(slicer), site.local, site.options).of(site.call)
        recipe = self._called(slicer, opened, site.line, 0) if opened is not None else None
        return replace(recipe, seen=site.path) if recipe is not None else None

    def _called(self, slicer: Slicer, opened: ast.Call, line: int, column: int) -> Recipe:
        slicer.opaque = lambda read: rests_on_data(slicer, read)
        wanted = names_in(opened) - ALWAYS_THERE
        if holes_in(opened):
            wanted |= fillers(slicer)
        keep = slicer.run(sorted(wanted))
        recipe = self._recipe(slicer, keep, ast.unparse(opened), line, column)
        return replace(recipe, call=recipe.expression, bind=slicer.name, unknown=tuple(sorted(slicer.unknown)))

    def _recipe(
        self, slicer: Slicer, keep: tuple[int, ...], expression: str, line: int, column: int, after: tuple[int, ...] = ()
    ) -> Recipe:
        """What every recipe of the file says."""
        size, skipped, unneeded = len(slicer.body), slicer.skipped((*keep, *after)), slicer.unneeded(keep)
        return Recipe(keep, size, skipped, expression, line, column, self.source.digest, unneeded, after=after)

    def callee(self, name: str, chain: tuple[str, ...]) -> str:
        """The name of what makes an instance."""
        call = self._maker(self.slicer(name, chain), name)
        return root_name(call.func) if call is not None else ""

    def call_sites(self, name: str) -> list[ast.Call]:
        """The calls of a definition in the file, those with the fewest holes first, outside the definition itself."""
        definition = self.models.classes.get(name) or self.models.functions.get(name)
        inside = {id(node) for node in ast.walk(definition)} if definition is not None else set()
        found = [node for node in self._calls if isinstance(node.func, ast.Name) and node.func.id == name and id(node) not in inside]
        known = [node for node in found if node.args or node.keywords or len(found) == 1]
        return sorted(known, key=lambda node: (unsettled(node), node.lineno))[:_SITES]

    def _value(self, slicer: Slicer, name: str) -> ast.expr | None:
        """The expression that makes an instance, not one that trains it or hands it on."""
        found = [
            binding.value
            for binding in slicer.models.bindings
            if binding.name == name and binding.top not in slicer.training and maker(slicer.models, binding.value) is not None
        ]
        fresh = [value for value in found if name not in names_in(value)]
        return (fresh or found)[-1] if found else None

    def _maker(self, slicer: Slicer, name: str) -> ast.Call | None:
        value = self._value(slicer, name)
        return maker(slicer.models, value) if value is not None else None

    def _reads(self, slicer: Slicer, name: str) -> frozenset[str]:
        value = self._value(slicer, name)
        return names_in(value) - {name} if value is not None else frozenset()

    def _local_values(self, call: ast.Call) -> dict[str, ast.expr]:
        """The values of the names that the function around a call assigns once, and the defaults of its parameters."""
        values: dict[str, list[ast.expr]] = {}
        line = getattr(call, "lineno", 0)
        for block in self._blocks:
            if block.lineno <= line <= (block.end_lineno or 0):
                for name, value in defaults_of(block).items():
                    values.setdefault(name, []).append(value)
                for node in ast.walk(block):
                    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                        values.setdefault(node.targets[0].id, []).append(node.value)
        return {name: found[0] for name, found in values.items() if len(found) == 1}


def _same(recipe: Recipe, other: Recipe) -> bool:
    return (recipe.keep, recipe.call, recipe.after, recipe.chain) == (other.keep, other.call, other.after, other.chain)
