"""A parameter's remedy at the line that wrote it: the call corrected, the statement replaced, further calls put behind it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from initcheck.fix.source.files import Files, Refusal
from initcheck.fix.source.lines import Pen, step_rows
from initcheck.fix.source.model import Model, whole
from initcheck.fix.source.names import Names
from initcheck.fix.source.placing import removed
from initcheck.fix.source.text import Change, Source
from initcheck.fix.source.tree import Tree
from initcheck.fix.source.writes import Spot, replaced, spot
from initcheck.records.fact import Known
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall, ParameterRecord
from initcheck.records.source import Location

Calls = tuple[tuple[InitCall, int, int | None], ...]
"""The steps of one parameter without its name, so that those of two can be compared."""


@dataclass
class Desk:
    """The files that are being rewritten, with what their trees and names are."""

    files: Files
    trees: dict[str, Tree] = field(default_factory=dict)
    names: dict[str, Names] = field(default_factory=dict)

    def tree(self, source: Source) -> Tree:
        """The tree of a source."""
        return self.trees.setdefault(source.path, Tree(source))

    def spelling(self, source: Source) -> Names:
        """The names of a source."""
        return self.names.setdefault(source.path, Names(source))

    def pen(self, source: Source) -> Pen:
        """How this file spells things."""
        return Pen(self.spelling(source).spelled, source.unit, source.quote)


@dataclass(slots=True)
class Patch:
    """Changes of several files, by the paths of their sources."""

    changes: dict[str, list[Change]] = field(default_factory=dict)

    def add(self, path: str, *changes: Change) -> None:
        """Adds changes of one file; one that is there already is not made twice."""
        known = self.changes.setdefault(path, [])
        known += [change for change in changes if change not in known or change.start == change.end == -1]

    def merge(self, other: Patch) -> None:
        """Adds all changes of another patch."""
        for path, changes in other.changes.items():
            self.add(path, *changes)


def writers(model: Model) -> dict[Location, set[str]]:
    """The parameters that each line of the user wrote, as far as these writes still count."""
    found: dict[Location, set[str]] = {}
    for record in model.parameters:
        for place in places_of(record):
            found.setdefault(place, set()).add(record.name)
    return found


def places_of(record: ParameterRecord) -> list[Location]:
    """The user's lines whose writes still count, oldest first."""
    ruling = record.ruling()
    counted = [write for write in record.writes if write is ruling or any(write is one for one in record.later())]
    known = [write.location.get() for write in counted if write.location.known() and write.origin in ("user", "copied")]
    return list(dict.fromkeys(known))


def calls_of(steps: Sequence[Step]) -> Calls:
    """What is done to one parameter."""
    return tuple((step.call, step.blocks, step.block) for step in steps)


class Corrector:
    """Corrects lines of one model's sources; `todo` holds all that is to be done in this round, by parameter."""

    def __init__(self, model: Model, desk: Desk, todo: Mapping[str, Sequence[Step]]) -> None:
        self.generous = False
        """Whether a line may be corrected that also wrote a few parameters which nothing was said of."""
        self.model = model
        self.desk = desk
        self.todo = {name: calls_of(steps) for name, steps in todo.items()}
        self.written = writers(model)

    def correct(self, name: str, steps: Sequence[Step]) -> Patch | None:
        """The patch for one parameter; None where its line does not allow it."""
        record = self.model.record(name)
        if record is None or not steps:
            return None
        try:
            return self._whole(record, steps) if whole(steps[0]) else self._more(record, steps)
        except Refusal:
            return None

    def _whole(self, record: ParameterRecord, steps: Sequence[Step]) -> Patch | None:
        places = places_of(record)
        ruling = record.ruling()
        if not places and ruling is not None and ruling.origin == "never written" and ruling.location.known():
            places = [ruling.location.get()]
        if not places:
            return None
        # where a full write of the user's rules it is the one to correct, and what came after it goes; else the last partial one
        own = ruling is not None and ruling.location.known() and ruling.location.get() == places[0]
        main = places[0] if own else places[-1]
        if not self._agreed(main, record, calls_of(steps)):
            return None
        found = self._spot(main, record)
        if found is None:
            return None
        source, tree, names, there = found
        change = replaced(tree, names, there, steps[0].call)
        behind = self._behind(source, tree, there, steps[1:])
        if behind is None:
            return None
        if change is None:
            behind = self._behind(source, tree, there, steps)
            if not behind:
                return None
        patch = Patch()
        patch.add(source.path, *([change] if change is not None else []), *behind)
        for place in places:
            if place != main and not self._undone(place, there.statement, patch):
                return None
        return patch

    def _more(self, record: ParameterRecord, steps: Sequence[Step]) -> Patch | None:
        """Steps that come on top of what the user wrote."""
        places = places_of(record)
        if not places or not self._agreed(places[-1], record, calls_of(steps)):
            return None
        found = self._spot(places[-1], record)
        if found is None:
            return None
        source, tree, _, there = found
        patch = Patch()
        anew = steps[0].block is None and steps[0].call.name not in ("mul_", "zero_row_")
        if anew and there.lasting and tree.alone(there.statement) and there.kind in ("init", "method"):
            # all rows are drawn, part by part: nothing is left of what stood there
            rows = step_rows(steps, there.tensor, self.desk.pen(source))
            indent = source.indent(there.statement.lineno)
            patch.add(
                source.path, Change(*source.span(there.statement), source.newline.join(source.indented(indent, rows)).removeprefix(indent))
            )
            return patch
        behind = self._behind(source, tree, there, steps)
        if not behind:
            return None
        patch.add(source.path, *behind)
        return patch

    def _agreed(self, place: Location, record: ParameterRecord, calls: Calls) -> bool:
        """Whether what the line wrote is to be changed, and this is what most of it needs; the others get lines of their own."""
        wanted = [self.todo.get(name) for name in sorted(self.written.get(place, {record.name}))]
        silent = sum(one is None for one in wanted)
        if silent and (not self.generous or 2 * silent > len(wanted) or not self._alike(place)):
            return False
        if calls[0][0].name == "mul_":
            return all(one == calls for one in wanted)  # a second factor would come on top of the first
        return Counter(one for one in wanted if one is not None).most_common(1)[0][0] == calls

    def _alike(self, place: Location) -> bool:
        """Whether a line did the same to all that it wrote: a call whose arguments differ was meant to differ."""
        writes = [write for record in self.model.parameters for write in record.writes if write.location == Known(place)]
        return len({write.call for write in writes}) == 1

    def _spot(self, place: Location, record: ParameterRecord) -> tuple[Source, Tree, Names, Spot] | None:
        source, inside = self.desk.files.located(place)
        tree, names = self.desk.tree(source), self.desk.spelling(source)
        there = spot(tree, names, inside, record.name.rpartition(".")[2])
        return None if there is None or _in_parts(tree, there) else (source, tree, names, there)

    def _behind(self, source: Source, tree: Tree, there: Spot, steps: Sequence[Step]) -> list[Change] | None:
        """Lines for further steps behind the statement; None where the tensor has no name there."""
        if not steps:
            return []
        if not there.lasting or not there.tensor or not tree.alone(there.statement):
            return None
        pen, indent = self.desk.pen(source), source.indent(there.statement.lineno)
        found = step_rows(steps, there.tensor, pen)
        last = there.statement
        outer = tree.parents.get(last)
        if (
            isinstance(outer, ast.With)
            and tree.block(last)[-1] is last
            and found[0].startswith("with ")
            and "no_grad" in source.segment(outer)
        ):
            # the statement stands in such a block already
            found = [line.removeprefix(pen.unit) for line in found if not line.startswith("with ")]
        return [source.after_line(last.end_lineno or last.lineno, source.indented(indent, found))]

    def _undone(self, place: Location, main: ast.stmt, patch: Patch) -> bool:
        """Takes out a line whose write would come on top of the new one."""
        if any(name not in self.todo for name in self.written.get(place, ())):
            return False
        source, inside = self.desk.files.located(place)
        tree = self.desk.tree(source)
        node = tree.at(inside)
        if node is None:
            return False
        statement = tree.statement(node)
        if statement is main:
            return True
        if not isinstance(statement, (ast.Expr, ast.AugAssign)) and not (
            isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], (ast.Subscript, ast.Attribute))
            and _into(statement.targets[0])
        ):
            return False
        change = removed(tree, statement)
        if change is None:
            return False
        patch.add(source.path, change)
        return True


def _in_parts(tree: Tree, there: Spot) -> bool:
    """Whether a line writes one part of a tensor after the other, so that its tensor is none of the model's."""
    for outer in tree.above(there.statement):
        if isinstance(outer, ast.For) and tree.source.segment(outer.target) == there.tensor:
            return any(isinstance(node, ast.Attribute) and node.attr in ("chunk", "split", "unbind") for node in ast.walk(outer.iter))
    return False


def _into(target: ast.expr) -> bool:
    """Whether an assignment writes into a tensor rather than giving a name another one."""
    return isinstance(target, ast.Subscript) or (isinstance(target, ast.Attribute) and target.attr == "data")
