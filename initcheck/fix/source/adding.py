"""Remedies for what no line of the author wrote: new lines in the class that knows what differs, or behind the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from initcheck.fix.source.correcting import Desk, Patch, places_of
from initcheck.fix.source.files import Refusal, real
from initcheck.fix.source.lines import Demands, Pen, Steps, body, demands, grouped, lines, loop_over
from initcheck.fix.source.model import Model
from initcheck.fix.source.placing import applied, behind, in_class, inner_factory, model_statement
from initcheck.fix.source.text import Source
from initcheck.records.finding import Step
from initcheck.records.report import ModuleRecord
from initcheck.records.rewriting import Where
from initcheck.records.source import Location

_Scope = tuple[str, str]
NOWHERE = "no class or statement of this project was found that could start it"


class Adder:
    """Adds lines to the sources of one model."""

    def __init__(self, model: Model, desk: Desk, where: Where) -> None:
        self.model = model
        self.desk = desk
        self.where = where

    def add(self, todo: Mapping[str, Sequence[Step]], *, outside: bool) -> tuple[Patch, dict[str, str]]:
        """The patch for these parameters, and those that no place was found for, with reasons.

        outside: behind the statement that makes the model, rather than in its classes.
        """
        patch, left = Patch(), demands(todo, self.model)
        reasons: dict[str, str] = {}
        if not outside:
            level = 0
            while left and level <= max(path.count(".") + 2 for path in left):
                left = self._in_classes(left, level, patch, reasons)
                level += 1
        if left and self._behind(left, patch, reasons):
            left = {}
        names = [name for name in todo if self.model.split(name)[0] in left]
        return patch, {name: reasons.get(self.model.split(name)[0], NOWHERE) for name in names}

    def _in_classes(self, todo: Demands, level: int, patch: Patch, reasons: dict[str, str]) -> dict[str, Steps]:
        """What can be said in the user's classes so many levels above the modules; gives back the rest."""
        scopes: dict[_Scope, dict[str, dict[str, Steps]]] = {}
        left: dict[str, Steps] = {}
        for path, actions in todo.items():
            chain = self.model.classes_above(path)
            if level >= len(chain) or not self._open(chain[level], path, reasons):
                left[path] = actions
                continue
            found = chain[level]
            scopes.setdefault((found.file, found.qualname), {}).setdefault(found.path, {})[path] = actions
        for scope, instances in scopes.items():
            every = self.model.instances(*scope)
            relative = [_relative(instances.get(one, {}), one) for one in every]
            same = all(one == relative[0] for one in relative)
            late = any(self._written_late(path, scope) for one in instances.values() for path in one)
            if not same or late or not self._say(scope, every[0], instances[every[0]], patch):
                left |= {path: actions for one in instances.values() for path, actions in one.items()}
        return left

    def _open(self, module: ModuleRecord, path: str, reasons: dict[str, str]) -> bool:
        try:
            self.desk.files.source(module.file)
        except Refusal as refusal:
            reasons[path] = str(refusal)
            return False
        return True

    def _written_late(self, path: str, scope: _Scope) -> bool:
        """Whether the parameters of a module are written once more after this class has started them, as far as one sees."""
        chain = [(module.file, module.qualname) for module in self.model.classes_above(path)]
        above = [qualname for _, qualname in chain[chain.index(scope) + 1 :]]
        for record in self.model.parameters:
            for place in places_of(record)[-1:] if record.module == path else ():
                function = place.function
                if function.startswith("<") or any(function.startswith(f"{outer}.") for outer in above):
                    return True
                if "." not in function and function and not self._mentions(scope, function):
                    return True
        return False

    def _mentions(self, scope: _Scope, function: str) -> bool:
        """Whether a class speaks of a function."""
        source = self.desk.files.source(scope[0])
        owner = self.desk.tree(source).named(scope[1])
        return owner is not None and function in source.segment(owner)

    def _say(self, scope: _Scope, above: str, todo: Demands, patch: Patch) -> bool:
        source = self.desk.files.source(scope[0])
        tree, pen = self.desk.tree(source), self.desk.pen(source)
        module = self.model.modules[above]
        changes = None
        if self.where == "function":
            rules = self._cascade(todo, above, pen)
            name = self.desk.spelling(source).free("_init_weights", "_start_weights")
            changes = applied(tree, scope[1], name, rules) if rules else None
        if changes is None:
            where: Where = "class" if self.where == "function" else self.where
            changes = in_class(tree, scope[1], lambda base: lines(todo, self.model, base, above, pen), where, module.starts)
        if changes is None:
            return False
        patch.add(source.path, *changes)
        return True

    def _cascade(self, todo: Demands, above: str, pen: Pen) -> list[str]:
        """The body of a function for `apply`; nothing where the modules cannot be told by their classes alone."""
        found: list[str] = []
        for (_, actions), paths in grouped(todo, self.model).items():
            loop = loop_over(paths, self.model, "self", above, pen)
            if loop is None or " and " in loop.test:
                return []
            kind = next(kind for kind in self.model.modules[paths[0]].kinds if set(paths) <= set(self.model.below(above, kind)))
            if set(self.model.below(above, kind)) != set(paths):
                return []
            test = f"if isinstance(module, {pen.spell(f'torch.nn.{kind}')}):"
            found += [test, *(pen.unit + line for line in body(actions, "module", pen, optional=True))]
        return found

    def _behind(self, todo: Demands, patch: Patch, reasons: dict[str, str]) -> bool:
        target, built = self.model.report.target, self.model.report.built
        place = built.location if built is not None else None
        path = place.path if place is not None and place.line else target.path
        try:
            source, inside = self.desk.files.located(place) if place is not None and place.line else (self.desk.files.source(path), None)
        except Refusal as refusal:
            reasons |= {one: str(refusal) for one in todo if one not in reasons}
            return False
        tree, pen = self.desk.tree(source), self.desk.pen(source)
        qualname = target.qualname if target.kind == "factory" else ""
        found = model_statement(tree, inside, qualname, built.expression if built is not None else "")
        if found is None:
            return False
        if not self._places(todo, source):
            made = [record.created for record in self.model.parameters if record.module in todo]
            makers = [place.function if place is not None and real(place.path) == real(source.path) else "" for place in made]
            found = inner_factory(tree, found[0], makers) or found
        changes = behind(tree, *found, lambda base: lines(todo, self.model, base, "", pen), self._places(todo, source))
        if changes is None:
            return False
        patch.add(source.path, *changes)
        return True

    def _places(self, todo: Demands, source: Source) -> list[Location]:
        """The lines of this file that write the parameters."""
        found = []
        for record in self.model.parameters:
            if record.module in todo:
                for place in places_of(record):
                    try:
                        there, inside = self.desk.files.located(place)
                    except Refusal:
                        continue
                    if there is source:
                        found.append(inside)
        return found


def _relative(instance: Mapping[str, Steps], above: str) -> dict[str, Steps]:
    return {path[len(above) :]: actions for path, actions in instance.items()}
