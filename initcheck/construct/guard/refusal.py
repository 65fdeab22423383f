"""What is in force now, and how a refusal reads."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

from initcheck.errors import TargetError, causes


@dataclass(slots=True)
class InForce:
    """What is in force: `path` is the user's file, `thread` the one thread that is watched, 0 for all; `roots` may be written to."""

    on: bool = False
    path: str = ""
    thread: int = 0
    roots: tuple[str, ...] = ()
    trust: bool = False
    trust_pickle: bool = False


now = InForce()
"""The one belt of this process."""

_DOWNLOADERS = ("torch.hub", "huggingface_hub")


class Refused(TargetError, PermissionError):
    """User code did something that building a model does not need.

    Also a `PermissionError`: libraries that only try (to write a cache, to ask a program) go on without.
    """

    name = "refused"


def refuse(what: str) -> NoReturn:
    """Stops the user's code: it `what`.

    Raises:
        Refused: always.
    """
    if _downloading():
        message = f"{where()} downloads weights; initcheck works offline and looks at weights before training"
        raise Refused(message, "build it without them: weights=None or pretrained=False", name="offline")
    hint = "put the model alone into a function: def initcheck_model(): return Net(...); or --trust, if you trust the file"
    raise Refused(f"{where()} {what}; building a model must not", hint)


def refuse_pickle(file: object) -> NoReturn:
    """Stops the user's code that opens a file which can run code.

    Raises:
        Refused: always.
    """
    name = os.fspath(file) if isinstance(file, (str, os.PathLike)) else getattr(file, "name", None) or "a file"
    message = f"{where()} opens {name}, which holds pickled objects: opening them can run any code"
    hint = f"save the weights alone: torch.save(model.state_dict(), {name!r}); or --trust-pickle, if you trust the file"
    raise Refused(message, hint, name="unsafe-pickle")


def where() -> str:
    """The user's line that is running."""
    line = user_line()
    return f"{now.path}:{line}" if line else now.path or "the model's code"


def user_line() -> int:
    """The innermost line of the user's file that is running, 0 if none is."""
    frame: Any = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        if now.path and frame.f_code.co_filename == now.path:
            return int(frame.f_lineno)
        frame = frame.f_back
    return 0


def refusal_in(error: BaseException) -> Refused | None:
    """The refusal that an error is or came of, whatever it was wrapped in."""
    return next((cause for cause in causes(error) if isinstance(cause, Refused)), None)


def _downloading() -> bool:
    """Whether one of the usual downloaders of weights is on the stack."""
    frame: Any = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_DOWNLOADERS):
            return True
        frame = frame.f_back
    return False
