"""What a reader of source can take up: the targets of the command line, those of importable modules as files."""

from __future__ import annotations

import sys
from pathlib import Path

from initcheck.discover.targets import expand
from initcheck.errors import InitcheckError, TargetError
from initcheck.records.target import Target


def readable(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    """As `expand`; nothing is imported to find the file of a module."""
    targets, problems = expand(spec)
    stored = [target for target in targets if target.kind == "weights"]
    problems += tuple(
        TargetError(f"{target.spec} holds weights, which have no source", "check it without --static", name="not-readable")
        for target in stored
    )
    return tuple(_located(target) for target in targets if target not in stored), problems


def _located(target: Target) -> Target:
    """A target of an importable module as one of its file, where that is found."""
    if target.recipe is not None or target.kind != "library" or target.path in ("hf", "timm"):
        return target
    parts = target.path.split(".")
    for folder in (Path.cwd(), *map(Path, sys.path)):
        for file in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
            if file.is_file():
                return Target(target.spec, str(file), target.qualname, "library", target.arguments)
    return target
