"""What is known about one kind of error message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessagePage:
    """The page of one error name.

    `meaning` is one sentence; `because` tells what leads to it; `example` is such a message; `remedies` are (what it does, what to paste)
    pairs, the second part empty where there is nothing to paste.
    """

    name: str
    meaning: str
    because: tuple[str, ...]
    example: str
    remedies: tuple[tuple[str, str], ...]
