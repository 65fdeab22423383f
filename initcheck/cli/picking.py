"""Which of the found targets are checked: `-k` by their names, `--lf` by how they fared last time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from initcheck.cli.context import Console
from initcheck.errors import NothingToCheck, UsageError
from initcheck.records.settings import Settings
from initcheck.records.target import Target

Test = Callable[[str], bool]

_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")
_EXAMPLE = "-k 'encoder and not test'"


@dataclass(frozen=True, slots=True)
class Flow:
    """How the targets of one command are gone through: `keyword` is the text of `-k`."""

    keyword: str = ""
    last_failed: bool = False
    exit_first: bool = False
    durations: bool = False
    cached: bool = True


PLAIN = Flow()


def picked(targets: Sequence[Target], settings: Settings, flow: Flow, console: Console) -> list[Target]:
    """The targets that `-k` and `--lf` leave.

    Raises:
        NothingToCheck: when `-k` leaves none.
    """
    chosen = list(targets)
    if flow.keyword:
        fits = matching(flow.keyword)
        chosen = [target for target in chosen if fits(target.spec)]
        if targets and not chosen:
            raise NothingToCheck(f"-k {flow.keyword!r} fits none of {len(targets)} models", "initcheck targets lists them")
    if flow.last_failed:
        from initcheck.cache import Cache

        failed = Cache(settings, 1).failed()
        again = [target for target in chosen if target.spec in failed]
        if not again:
            console.note("--lf: nothing of this failed last time, so all of it is checked")
        chosen = again or chosen
    return chosen


def matching(expression: str) -> Test:
    """Whether a name fits: parts of names, joined by `and`, `or`, `not` and parentheses; capitals make no difference.

    Raises:
        UsageError: when the expression has no meaning.
    """
    tokens = _TOKEN.findall(expression)
    words = iter([*tokens, ""])
    reader = _Reader(words)
    test = reader.either()
    if reader.word:
        raise UsageError(f"-k: {reader.word!r} is not expected in {expression!r}", _EXAMPLE)
    return test


class _Reader:
    """Reads the expression from left to right; `word` is the next one, empty at the end."""

    def __init__(self, words: Iterator[str]) -> None:
        self._words = words
        self.word = next(words)

    def either(self) -> Test:
        """`a or b`."""
        found = self._both()
        while self.word.lower() == "or":
            found = _or(found, self._after(self._both))
        return found

    def _both(self) -> Test:
        found = self._one()
        while self.word.lower() == "and":
            found = _and(found, self._after(self._one))
        return found

    def _one(self) -> Test:
        word = self.word
        if word.lower() == "not":
            inner = self._after(self._one)
            return lambda name: not inner(name)
        if word == "(":
            found = self._after(self.either)
            if self.word != ")":
                raise UsageError("-k: a parenthesis is not closed", _EXAMPLE)
            self.word = next(self._words, "")
            return found
        if not word or word == ")" or word.lower() in ("and", "or"):
            raise UsageError(f"-k: a name is expected {f'before {word!r}' if word else 'at the end'}", _EXAMPLE)
        self.word = next(self._words, "")
        return lambda name: word.lower() in name.lower()

    def _after(self, read: Callable[[], Test]) -> Test:
        self.word = next(self._words, "")
        return read()


def _or(one: Test, other: Test) -> Test:
    return lambda name: one(name) or other(name)


def _and(one: Test, other: Test) -> Test:
    return lambda name: one(name) and other(name)
