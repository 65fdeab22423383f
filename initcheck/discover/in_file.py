"""Targets in Python files: which models a file offers, found without importing or running it."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path

from initcheck.discover import candidates as offers
from initcheck.discover import files, shown, slicing
from initcheck.discover.candidates import Candidate
from initcheck.discover.hoisted import inside_functions
from initcheck.discover.scopes import scope
from initcheck.discover.ways import Ways
from initcheck.discover.writing import written_call
from initcheck.errors import NothingToCheck, TargetError, UsageError
from initcheck.records.target import Target, TargetKind
from initcheck.source.reading import exists


def targets_of(path: str) -> tuple[Target, ...]:
    """The targets of a file that is named without an object."""
    source = files.read(path)
    found = offers.of_tree(source.tree)
    chosen = offers.chosen(found, inside_functions(source.tree))
    if not chosen:
        raise NothingToCheck(f"no model in {path}", f"where that is right, as in a hook: initcheck --allow-empty {path}")
    somehow = _Somehow(source)
    return tuple(somehow.target(f"{path}::{offer.qualname}", offer) for offer in chosen)


def named(spec: str, path: str, written: str) -> Target:
    """The target that `path::written` names."""
    if not exists(path):
        raise missing_file(path)
    name, arguments = written_call(spec, written)
    source = files.read(path)
    top = {offer.qualname: offer for offer in offers.of_tree(source.tree)}
    found = {**{offer.qualname: offer for offer in inside_functions(source.tree)}, **top}
    root = name.split(".")[0]
    offer = found.get(name)
    if offer is None and not _binds(source.tree, root):
        raise _unknown(path, name, source.tree, found)
    if arguments is None and offer is not None:
        return _Somehow(source).target(spec, offer)
    kind: TargetKind = offer.kind if offer else _kind(source.tree, root)
    if arguments is not None and kind == "instance":
        raise UsageError(f"{name} in {path} is no class or function, it takes no arguments", f"initcheck {path}::{name}")
    return _as_written(spec, source, name, kind, arguments or "")


def missing_file(path: str) -> TargetError:
    """The error for a file that is not there."""
    parent = Path(path).parent
    near: Iterator[str] = (str(item) for item in parent.iterdir() if item.suffix == ".py") if parent.is_dir() else iter(())
    close = difflib.get_close_matches(str(Path(path)), list(near), 1)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else "initcheck takes model.py, model.py::Net, pkg.module:function, torchvision:resnet18 or hf:./folder"
    )
    return TargetError(f"cannot find {path}: no such file or folder (looked in {Path.cwd()})", hint, name="file-missing")


class _Somehow:
    """Makes targets for which nobody wrote the arguments: with all ways to build them, in order."""

    def __init__(self, source: files.SourceFile) -> None:
        self._path = source.path
        self._ways = Ways(source)
        self._hints, self._examples = shown.hints(source.tree), shown.examples(source.tree)

    def target(self, spec: str, offer: Candidate) -> Target:
        """The target for one candidate."""
        first, *others = self._ways.recipes(offer)
        return Target(
            spec,
            self._path,
            offer.qualname,
            offer.kind,
            recipe=first,
            others=tuple(others),
            hints=self._hints,
            examples=self._examples,
        )


def _as_written(spec: str, source: files.SourceFile, name: str, kind: TargetKind, arguments: str) -> Target:
    recipe = slicing.slice_tree(source.tree, source.path, name, source.digest).recipe
    return Target(spec, source.path, name, kind, arguments, recipe=recipe, examples=shown.examples(source.tree))


def _binds(tree: ast.Module, name: str) -> bool:
    return name in _top_names(tree)


def _kind(tree: ast.Module, name: str) -> TargetKind:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return "class"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            return "factory"
    return "instance"


def _top_names(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for index, statement in enumerate(tree.body):
        found = scope(statement)
        names += sorted(found.binds)
        if isinstance(statement, ast.ImportFrom) and index < len(tree.body):
            names += [alias.asname or alias.name for alias in statement.names if alias.name != "*"]
    return names


def _unknown(path: str, name: str, tree: ast.Module, found: dict[str, Candidate]) -> TargetError:
    close = difflib.get_close_matches(name, [*found, *_top_names(tree)], 1)
    hint = f"did you mean {path}::{close[0]}?" if close else f"it offers: {', '.join(found)}" if found else f"initcheck {path}"
    return TargetError(f"{path} has no top-level name {name}", hint, name="unknown-name")
