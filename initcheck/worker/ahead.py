"""Which large packages the server imports ahead: those that more than one target would import again each on its own."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from initcheck.records.target import Recipe, Target

LARGE = ("torchvision", "torchaudio", "timm", "transformers", "diffusers", "pytorch_lightning", "lightning")
"""Packages whose import takes longer than most checks."""

OFFLINE = LARGE[2:]
"""Those that ask while they are imported whether they may use the network, which `--trust` allows and nothing else does."""


def shared_imports(targets: Iterable[Target], *, online: bool) -> list[str]:
    """The large packages that at least two of the targets import, as far as their own files show it."""
    wanted = Counter(name for target in targets for name in _imports(target) if not _shadowed(name, target))
    return [name for name in LARGE if wanted[name] > 1 and not (online and name in OFFLINE)]


def _shadowed(name: str, target: Target) -> bool:
    """Whether a folder or file of the user's stands before the package of that name."""
    folders = (Path.cwd(), Path(target.path).parent, Path(target.path).parent.parent)
    return any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in folders)


def _imports(target: Target) -> set[str]:
    if target.path == "hf":
        return {"transformers"}
    if target.recipe is None:
        return {target.path} & set(LARGE)
    try:
        tree = ast.parse(target.source or Path(target.path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()  # a notebook, or a file that has just changed: it imports on its own
    return _kept(tree.body, target.recipe) & set(LARGE)


def _kept(body: Sequence[ast.stmt], recipe: Recipe) -> set[str]:
    """The packages in the import statements that the recipe keeps; in an opened function positions count otherwise, so all count there."""
    kept = body if recipe.chain else [body[index] for index in recipe.keep if index < len(body)]
    found: set[str] = set()
    for statement in kept:
        if isinstance(statement, ast.Import):
            found |= {name.name for name in statement.names if (name.asname or name.name.split(".")[0]) not in recipe.unneeded}
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            found |= {statement.module or "" for name in statement.names if (name.asname or name.name) not in recipe.unneeded}
    return {name.split(".")[0] for name in found}
