"""The models that a script makes inside its main guard or its functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from initcheck.discover.candidates import Candidate, instances_of
from initcheck.discover.effects import Effects
from initcheck.discover.models import FileModels
from initcheck.discover.openings import maker
from initcheck.source.flattening import GUARD, chains, flattened, main_guard, top_functions

_TRAINING = frozenset({"backward", "step", "fit", "train", "Adam", "AdamW", "SGD", "RMSprop", "zero_grad"})


def inside_functions(tree: ast.Module) -> tuple[Candidate, ...]:
    """The instances that are made inside the main guard and the functions of a file, those of training functions first.

    An instance is named by its function, `main.model`; inside the guard by its name alone. Of functions that make the same model, as
    training and evaluation do, the one that trains counts.
    """
    models = FileModels(tree)
    found: list[Candidate] = []
    called: set[str] = set()
    for chain in sorted(_open_chains(tree, models), key=lambda chain: not _trains(tree, chain)):
        made = [(text, candidate) for text, candidate in _made_in(tree, chain) if text not in called]
        found += [candidate for _, candidate in made]
        called |= {text for text, _ in made}
    return tuple(sorted(found, key=lambda candidate: candidate.line))


def _open_chains(tree: ast.Module, models: FileModels) -> Iterator[tuple[str, ...]]:
    effects = Effects(models)
    alone = {chain for chain in chains(tree) if len(chain) == 1 and chain[0] != GUARD}
    for chain in chains(tree):
        last = chain[-1]
        shown = not last.startswith(("_", "test")) or chain not in alone
        if last == GUARD or (shown and (not models.is_factory(last) or effects.function_trains(last))):
            yield chain


def _made_in(tree: ast.Module, chain: tuple[str, ...]) -> Iterator[tuple[str, Candidate]]:
    """The instances that the last step of a chain makes, each with the text of what is called."""
    step = _step(tree, chain[-1])
    if step is None or not any(isinstance(node, ast.Call) for node in ast.walk(step)):
        return
    models = FileModels(flattened(tree, chain))
    values = {(binding.name, binding.value.lineno): binding.value for binding in models.instances()}
    for candidate in instances_of(models):
        made = maker(models, values[candidate.qualname, candidate.line])
        if made is None or not step.lineno <= candidate.line <= (step.end_lineno or step.lineno):
            continue
        name = candidate.qualname if chain[-1] == GUARD else f"{chain[-1]}.{candidate.qualname}"
        yield ast.unparse(made.func), replace(candidate, qualname=name, chain=chain)


def _step(tree: ast.Module, name: str) -> ast.stmt | None:
    return main_guard(tree) if name == GUARD else top_functions(tree).get(name)


def _trains(tree: ast.Module, chain: tuple[str, ...]) -> bool:
    step = _step(tree, chain[-1])
    calls = (node.func for node in ast.walk(step) if isinstance(node, ast.Call)) if step is not None else ()
    return any((call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")) in _TRAINING for call in calls)
