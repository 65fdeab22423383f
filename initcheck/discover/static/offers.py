"""What a reader of source can take up: as the command line's targets, and besides them what cannot be built without arguments."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from initcheck.discover import candidates, files
from initcheck.discover.candidates import Candidate
from initcheck.discover.targets import expand
from initcheck.errors import InitcheckError, NothingToCheck, TargetError
from initcheck.records.target import Target

NEEDS = "needs-args"


def readable(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    """As `expand`, for reading alone: a class or factory that nobody gives arguments is a target as well."""
    if "::" not in spec and Path(spec).is_dir():
        return _folder(spec)
    targets, problems = expand(spec)
    left = [problem for problem in problems if problem.name != NEEDS]
    if len(left) < len(problems):
        path, _, name = spec.partition("::")
        targets += tuple(_wanting(spec, path, name))
    return tuple(_located(target) for target in targets), tuple(left)


def _folder(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    targets: list[Target] = []
    problems: list[InitcheckError] = []
    for path in files.python_files(spec):
        try:
            model = files.looks_like_model(Path(path).read_bytes())
        except OSError as error:
            problems.append(TargetError(f"cannot read {path}: {error.strerror}", "check its permissions", name="file-missing"))
            continue
        if model:
            found, wrong = readable(path)
            targets += found
            problems += [problem for problem in wrong if not isinstance(problem, NothingToCheck)]
    if not targets and not problems:
        problems.append(NothingToCheck(f"no model in any Python file under {spec}", "name one: initcheck path/to/model.py::Net"))
    return tuple(targets), tuple(problems)


def _wanting(spec: str, path: str, name: str) -> Iterator[Target]:
    """The classes and factories of a file that need arguments; a call with literals in the file gives them."""
    source = files.read(path)
    found = candidates.of_tree(source.tree)
    offers = [offer for offer in found if offer.qualname == name] if name else list(candidates.wanting(found))
    for offer in offers:
        full = spec if name else f"{path}::{offer.qualname}"
        yield Target(full, path, offer.qualname, offer.kind, _literal_call(source.tree, offer))


def _literal_call(tree: ast.Module, offer: Candidate) -> str:
    site = next((site for site in candidates.call_sites(tree, offer.qualname) if site.literal), None)
    return site.text.partition("(")[2].removesuffix(")") if site is not None else ""


def _located(target: Target) -> Target:
    """A target of an importable module as one of its file, where that is found without importing anything."""
    if target.recipe is not None or target.kind != "library" or target.path in ("hf", "timm"):
        return target
    parts = target.path.split(".")
    for folder in (Path.cwd(), *map(Path, sys.path)):
        for file in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
            if file.is_file():
                return Target(target.spec, str(file), target.qualname, "library", target.arguments)
    return target
