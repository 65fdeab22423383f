"""What can go wrong, as types: every error carries its own hint, its page name and its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

DEPTH = 4000
"""The limit of recursion for sources whose expressions are nested deeply; more would go beyond the stack of the parser, written in C."""


class ExitCode(IntEnum):
    """The process exit codes; each meaning has a code of its own."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    BUG = 3
    INCOMPLETE = 4
    NOTHING_CHECKED = 5
    INTERRUPTED = 130


class NotKnown(Exception):
    """A fact was asked for that could not be established.

    The judge turns it into a `Skip`; `reason` is shown to the user as it stands.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InitcheckError(Exception):
    """Anything that initcheck tells the user about instead of raising a traceback.

    `name` is the page (`initcheck rule NAME` style slug), `hint` something that can be pasted or done.
    """

    exit_code = ExitCode.INCOMPLETE
    name = "error"

    def __init__(self, message: str, hint: str = "", *, name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if name:
            self.name = name


class UsageError(InitcheckError):
    """The command line or the call is wrong."""

    exit_code = ExitCode.USAGE
    name = "usage"


class ConfigError(InitcheckError):
    """A configuration file holds something that is not understood."""

    exit_code = ExitCode.USAGE
    name = "config"


class TargetError(InitcheckError):
    """A target could not be loaded, built or run; the report stays incomplete."""

    exit_code = ExitCode.INCOMPLETE
    name = "target"


class NothingToCheck(InitcheckError):
    """No model was found in anything that was given."""

    exit_code = ExitCode.NOTHING_CHECKED
    name = "no-model"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was raised from or while handling, and so on."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        yield current
        seen.add(id(current))
        current = current.__cause__ or current.__context__
