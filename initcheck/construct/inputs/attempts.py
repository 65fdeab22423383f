"""Trying inputs one after the other, learning from what fails, and saying why when nothing runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.blame import Blame, blame, input_sizes
from initcheck.construct.inputs.guesses import TRIES
from initcheck.construct.inputs.image_size import estimated_size
from initcheck.construct.inputs.modalities import repaired
from initcheck.construct.inputs.samples import Guess, describe
from initcheck.errors import InitcheckError, TargetError

T = TypeVar("T")

_REPAIRS = 6
"""Image sizes that are computed from failures, at most."""
_MIXED = 4
"""Inputs that ran but lost their batch axis, at most, before the first of them is taken after all."""


def first_that_runs(
    model: Module,
    guesses: Iterator[Guess],
    attempt: Callable[[tuple[Any, ...], dict[str, Any]], T],
) -> tuple[T, Guess]:
    """Runs `attempt` on the guesses in turn, and on image sizes computed from the failures, until one does not raise.

    When the result has `outputs`, pairs whose second member is a tensor, the batch axis must have survived: `view(-1, 400)` on an image
    of the wrong size would mix samples. If no input keeps it, the first that ran counts.

    Raises:
        TargetError: `input-unknown` when other inputs might run, `forward-failed` when the code is at fault or the input was given.
    """
    search = _Search(model)
    queue: deque[Guess] = deque()
    mixed: list[Guess] = []
    while (guess := queue.popleft() if queue else next(guesses, None)) is not None:
        try:
            with guess.prepare():
                result = attempt(guess.args, guess.kwargs)
        except InitcheckError:
            raise
        except Exception as error:  # noqa: BLE001  (anything may be raised by the user's forward; it is reported below)
            queue.extend(search.learn(guess, error))
        else:
            if _keeps_batch(result, guess):
                return result, guess
            mixed.append(guess)
            if len(mixed) >= _MIXED:
                break
        if len(search.failures) >= TRIES + _REPAIRS:
            break
    if mixed:
        with mixed[0].prepare():
            return attempt(mixed[0].args, mixed[0].kwargs), mixed[0]
    raise search.error()


class _Search:
    """What the failures so far tell."""

    def __init__(self, model: Module) -> None:
        self._model = model
        self._points: dict[int, list[tuple[int, float]]] = {}
        self._tried: set[int] = set()
        self._repairs = 0
        self.failures: list[tuple[Blame, Guess]] = []

    def learn(self, guess: Guess, error: BaseException) -> list[Guess]:
        """Notes a failure; returns the guess that it suggests, if any."""
        found = blame(self._model, error, guess.summary.batch)
        self.failures.append((found, guess))
        mended = repaired(self._model, guess, found) if self._repairs < _REPAIRS else None
        if mended is not None:
            self._repairs += 1
            return [mended]
        edge = input_sizes(guess.args[0]) if guess.inferred and len(guess.args) == 1 and not guess.kwargs else 0
        self._tried.add(edge)
        if not edge or not found.wanted or self._repairs >= _REPAIRS:
            return []
        points = self._points.setdefault(found.wanted, [])
        points.append((edge, found.got))
        size = estimated_size(points, found.wanted)
        if not 4 <= size <= 640 or size in self._tried:
            return []
        self._repairs += 1
        return [_resized(guess, size, found)]

    def error(self) -> TargetError:
        """The error to raise when nothing ran."""
        if not self.failures:
            hint = "give one: --input 1,28,28 or --input 'int64[8,16]<1000'"
            return TargetError(f"no sample input is known for {type(self._model).__name__}", hint, name="input-unknown")
        told = next((failure for failure, _ in self.failures if failure.sentence), self.failures[0][0])
        if not any(failure.mends for failure, _ in self.failures):
            told = self.failures[0][0]
        code = not any(guess.inferred for _, guess in self.failures) or not any(failure.mends for failure, _ in self.failures)
        count = "the forward pass failed" if code else f"none of {len(self.failures)} sample inputs runs"
        last = self.failures[0][1].summary.text if told is self.failures[0][0] else ""
        cause = ": ".join(part for part in (told.where, told.text) if part)
        message = "; ".join(part for part in (f"{count}: {told.sentence}" if told.sentence else count, cause) if part)
        hint = (
            told.hint
            or (f"the input was {last}; " if last else "") + "pass the real input: --input 3,32,32 or initcheck_input() in the file"
        )
        return TargetError(message, hint, name="forward-failed" if code else "input-unknown")


def _resized(guess: Guess, size: int, failure: Blame) -> Guess:
    """The same images at another size, drawn like the first."""
    old: Tensor = guess.args[0]
    generator = torch.Generator().manual_seed(size)
    values = torch.randn((*old.shape[:2], size, size), generator=generator).to(device=old.device, dtype=old.dtype)
    origin = f"computed from {failure.module or failure.kind}, which wants {failure.wanted} features"
    return replace(guess, args=(values,), summary=describe((values,), {}, origin, guess.summary.batch))


def _keeps_batch(result: object, guess: Guess) -> bool:
    """Whether some returned tensor still has the batch along one of its first two axes; true when that cannot be told."""
    edge = input_sizes(guess.args[0]) if guess.inferred and len(guess.args) == 1 else 0
    outputs = getattr(result, "outputs", None)
    if not edge or not isinstance(outputs, (list, tuple)):
        return True
    shapes = [tuple(pair[1].shape) for pair in outputs if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[1], Tensor)]
    shapes = [shape for shape in shapes if shape]
    return not shapes or any(guess.args[0].shape[0] in shape[:2] for shape in shapes)
