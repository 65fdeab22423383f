"""Trying one filling after the other, learning from what the user's code raises."""

from __future__ import annotations

import ast
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from initcheck.construct.arguments.evaluator import Evaluator
from initcheck.construct.arguments.filling import Filling, World
from initcheck.construct.arguments.holes import Candidate
from initcheck.construct.arguments.place import Place, place_of
from initcheck.construct.arguments.repair import repairs
from initcheck.errors import InitcheckError

ATTEMPTS = 40
SECONDS = 20.0
LARGEST = 2e8
"""Numbers in a model that was filled in, at most."""


class Unfit(Exception):
    """A model was built, but nobody would build it: a parameter of size zero, or far too many."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What differs from the first choice of every hole, and the failure that suggested it."""

    overrides: Mapping[str, Candidate] = field(default_factory=dict)
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    after: tuple[str, str, int] | None = None

    def key(self) -> str:
        """Tells two choices apart."""
        return repr(sorted((name, each.kind, each.shown()) for name, each in self.overrides.items())) + repr(sorted(self.extras.items()))


class Search:
    """The tries for one expression."""

    def __init__(self, node: ast.expr, world: World, attempt: Callable[[Callable[[], object]], object]) -> None:
        self._node = node
        self._world = world
        self._attempt = attempt
        self._seen: set[str] = set()
        self._queue: deque[Choice] = deque([Choice()])
        self._failures: list[tuple[BaseException, Place]] = []
        self.attempts = 0
        self.value: object = None
        self.text = ast.unparse(node)
        self.guessed: tuple[str, ...] = ()
        self.holes: tuple[str, ...] = ()

    def run(self) -> bool:
        """Whether some try gave a value."""
        end = time.monotonic() + SECONDS
        while self._queue and self.attempts < ATTEMPTS and time.monotonic() < end:
            choice = self._queue.popleft()
            if choice.key() in self._seen:
                continue
            self._seen.add(choice.key())
            self.attempts += 1
            if self._try(choice):
                return True
        return False

    def _try(self, choice: Choice) -> bool:
        filling = Filling(self._world, choice.overrides, choice.extras)
        try:
            self.value = self._attempt(lambda: self._evaluated(filling))
        except InitcheckError:
            raise
        except (Exception, SystemExit) as error:  # (anything may be raised by the user's constructor; it is reported)
            if _is_own(error):
                raise
            self._note(filling)
            self._learn(choice, filling, error)
            return False
        self.text = self._written
        self.guessed = filling.guessed()
        return True

    def _evaluated(self, filling: Filling) -> object:
        node = Evaluator(filling, self._world.space).whole(self._node)
        if filling.asked:
            _refuse_unfit(node.value)
        self._written = node.text()
        return node.value

    _written = ""

    def _note(self, filling: Filling) -> None:
        self.holes = tuple(dict.fromkeys(each.hole.name for each in filling.top))
        filled = ", ".join(filling.guessed())
        self.text = ast.unparse(self._node) + (f" with {filled}" if filled else "")

    def _learn(self, choice: Choice, filling: Filling, error: BaseException) -> None:
        place = place_of(error, self._world.sources)
        self._failures.append((error, place))
        nameless = isinstance(error, NameError) and not isinstance(error, UnboundLocalError)
        if not filling.asked or nameless or isinstance(error, (SystemExit, ModuleNotFoundError)):
            self._queue.clear()
            return
        signature = (type(error).__name__, place.path, place.line)
        found: list[Choice] = []
        for repair in repairs(filling, error, place):
            overrides = {**choice.overrides, **repair.overrides}
            extras = dict(choice.extras)
            for key, names in repair.extras.items():
                extras[key] = tuple(dict.fromkeys((*extras.get(key, ()), *names)))
            found.append(Choice(overrides, extras, signature))
        if choice.after == signature:
            self._queue.extend(found)
        else:
            self._queue.extendleft(reversed(found))

    def error(self) -> BaseException:
        """The last failure that no argument is to blame for, else the first."""
        outside = (FileNotFoundError, ImportError, SystemExit, PermissionError, ConnectionError)
        return next((error for error, _ in reversed(self._failures) if isinstance(error, outside)), self._failures[0][0])


def _is_own(error: BaseException) -> bool:
    """Whether our own code failed while it looked for values, which is no failure of the user's."""
    frames = list(traceback.walk_tb(error.__traceback__))
    last = Path(frames[-1][0].f_code.co_filename) if frames else Path()
    return last.parent == Path(__file__).parent and last.stem not in ("filling", "evaluator", "stand_in", "search")


def _refuse_unfit(value: object) -> None:
    if not isinstance(value, torch.nn.Module):
        return
    total = 0
    for name, parameter in value.named_parameters():
        if isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin):
            continue
        if parameter.dim() > 1 and parameter.numel() == 0:
            raise Unfit(f"{name} has size zero: {tuple(parameter.shape)}")
        total += parameter.numel()
    if total > LARGEST:
        raise Unfit(f"the model has {total:,} parameters")
