"""A model from the expression that builds it, the arguments that nobody knows filled in and named."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.construct.arguments.filling import World
from initcheck.construct.arguments.search import Search


@dataclass(frozen=True, slots=True)
class Made:
    """What an expression gave.

    `text` is the expression with the holes filled, as shown to the user: Net(784, hidden=64). `guessed` are the filled-in parts,
    e.g. ("hidden=64",), empty when nothing was guessed.
    """

    value: object
    text: str
    guessed: tuple[str, ...]


class Unbuilt(Exception):
    """No way of filling in the holes gave a model.

    `error` is what the user's code raised, `text` the expression as it was last tried, `holes` the names of what is not known,
    `attempts` the number of tries.
    """

    def __init__(self, error: BaseException, text: str, holes: tuple[str, ...], attempts: int) -> None:
        super().__init__(f"{text}: {type(error).__name__}: {error}")
        self.error = error
        self.text = text
        self.holes = holes
        self.attempts = attempts


def make(
    expression: str,
    space: Mapping[str, Any],
    hints: Mapping[str, tuple[Any, ...]],
    attempt: Callable[[Callable[[], object]], object],
) -> Made:
    """What the expression gives, with its holes filled in by the first values that the user's code accepts.

    `...` in the place of an argument is a hole, and so is whatever is not evaluated, and every required parameter that is not given.
    `attempt` runs one try and returns its value, or raises what the user's code raised.

    Raises:
        Unbuilt: when no try gave a value; carries the most informative of the user's own exceptions.
    """
    search = Search(ast.parse(expression, mode="eval").body, World(space, hints), attempt)
    if search.run():
        return Made(search.value, search.text, search.guessed)
    raise Unbuilt(search.error(), search.text, search.holes, search.attempts) from search.error()
