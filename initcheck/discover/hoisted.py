"""The models that a script makes inside its main guard or its functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from initcheck.discover.candidates import Candidate, instances_of
from initcheck.discover.effects import Effects
from initcheck.discover.models import FileModels
from initcheck.discover.openings import maker
from initcheck.source.calls import last_name
from initcheck.source.flattening import GUARD, chains, flattened, main_guard, top_functions

_TRAINING = frozenset({"backward", "step", "fit", "train", "Adam", "AdamW", "SGD", "RMSprop", "zero_grad"})


def inside_functions(tree: ast.Module) -> tuple[Candidate, ...]:
    """The instances that are made inside the main guard and the functions of a file.

    An instance is named by its function, `main.model`; inside the guard by its name alone. Of functions that make the same model, as
    training and evaluation do, the one that trains counts.
    """
    return tuple(sorted(_Inside(tree).found(), key=lambda candidate: candidate.line))


class _Inside:
    """The guard and the functions of one file."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._models = FileModels(tree)
        self._effects = Effects(self._models)
        self._steps: dict[str, ast.stmt | None] = {**top_functions(tree), GUARD: main_guard(tree)}

    def found(self) -> list[Candidate]:
        """The instances, each by the first way that leads to it."""
        found: list[Candidate] = []
        called: set[str] = set()
        for chain in sorted(self._open_chains(), key=lambda chain: not self._trains(chain)):
            made = [(text, candidate) for text, candidate in self._made_in(chain) if text not in called]
            found += [candidate for _, candidate in made]
            called |= {text for text, _ in made}
        return found

    def _open_chains(self) -> Iterator[tuple[str, ...]]:
        ways = chains(self._tree)
        alone = {chain for chain in ways if len(chain) == 1 and chain[0] != GUARD}
        for chain in ways:
            last = chain[-1]
            if not self._may_make(last):
                continue
            shown = not last.startswith(("_", "test")) or chain not in alone
            if last == GUARD or (shown and (not self._models.is_factory(last) or self._effects.function_trains(last))):
                yield chain

    def _made_in(self, chain: tuple[str, ...]) -> Iterator[tuple[str, Candidate]]:
        """The instances that the last step of a chain makes, each with the text of what is called."""
        step = self._steps[chain[-1]]
        assert step is not None
        models = FileModels(flattened(self._tree, chain))
        values = {(binding.name, binding.value.lineno): binding.value for binding in models.instances()}
        for candidate in instances_of(models):
            made = maker(models, values[candidate.qualname, candidate.line])
            if made is None or not step.lineno <= candidate.line <= (step.end_lineno or step.lineno):
                continue
            name = candidate.qualname if chain[-1] == GUARD else f"{chain[-1]}.{candidate.qualname}"
            yield ast.unparse(made.func), replace(candidate, qualname=name, chain=chain)

    def _may_make(self, name: str) -> bool:
        """Whether a function assigns something that looks like a module; a quick look that spares opening most functions."""
        step = self._steps[name]
        for node in ast.walk(step) if step is not None else ():
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Call):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                used = any(isinstance(target, ast.Name) and target.id in self._models.used_as_module for target in targets)
                if used or self._models.is_module(node.value):
                    return True
        return False

    def _trains(self, chain: tuple[str, ...]) -> bool:
        step = self._steps[chain[-1]]
        calls = (node.func for node in ast.walk(step) if isinstance(node, ast.Call)) if step is not None else ()
        return any(last_name(call) in _TRAINING for call in calls)
