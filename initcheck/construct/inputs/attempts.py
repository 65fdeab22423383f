"""Trying inputs one after the other, learning from what fails, and saying why when nothing runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from torch.nn import Module

from initcheck.construct.inputs.accident import accident
from initcheck.construct.inputs.guesses import TRIES
from initcheck.construct.inputs.masks import unmasked
from initcheck.construct.inputs.repair import probe
from initcheck.construct.inputs.samples import Guess
from initcheck.construct.inputs.search import REPAIRS, Search
from initcheck.errors import InitcheckError

T = TypeVar("T")

_ODD = 4
"""Inputs that ran by accident, at most, before the first of them is taken after all."""


def first_that_runs(
    model: Module,
    guesses: Iterator[Guess],
    attempt: Callable[[tuple[Any, ...], dict[str, Any]], T],
) -> tuple[T, Guess]:
    """Runs `attempt` on the guesses in turn, and on what their failures suggest, until one does not raise.

    A guess that only runs by accident is passed over while there is hope: `view(-1, 400)` on an image of the wrong size mixes samples.
    If nothing else runs, the first of them counts, with a remark.

    Raises:
        TargetError: `input-unknown` when other inputs might run, `forward-failed` when the code is at fault or the input was given.
    """
    search = Search(model, guesses)
    odd: list[Guess] = []
    while len(odd) < _ODD and len(search.failures) < TRIES + REPAIRS and (found := search.take()) is not None:
        guess, repaired = found
        with guess.prepare():
            if repaired:
                setback = probe(model, guess.args, guess.kwargs)
                if setback.error is not None:
                    search.learn(guess, setback.error, setback)
                    continue
            guess = unmasked(model, guess) or guess
            try:
                result = attempt(guess.args, guess.kwargs)
            except InitcheckError:
                raise
            except Exception as error:  # noqa: BLE001  (anything may be raised by the user's forward; it is reported below)
                search.learn(guess, error)
                continue
            remark = accident(model, guess)
        if not remark:
            return result, guess
        search.pass_over()
        odd.append(replace(guess, remark=remark))
    if odd:
        with odd[0].prepare():
            return attempt(odd[0].args, odd[0].kwargs), odd[0]
    raise search.error()
