"""Decides where the program has shown enough, and ends it there: nothing is ever trained."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch

from initcheck.construct.guard import changed
from initcheck.construct.program.copying import Weights
from initcheck.construct.program.roots import Root, Roots, unseen
from initcheck.construct.recording.frames import Kind, Spot, kind_of, location
from initcheck.construct.recording.recorder import Recorder

PASSES = 16
"""Backward passes and skipped optimizer steps after which models that were not called yet are waited for no more."""
PATIENCE = 20.0
"""Seconds after which they are waited for no more."""
SWALLOWED = 200
"""Times that the program may catch its own end although every line of it raises again."""


class Stop(BaseException):
    """Ends the program; derives from no exception that a program usually catches."""


@dataclass(slots=True)
class Halt:
    """Where the program was stopped: `optimizer step`, `backward pass` or a late call, the user's line, and the names in the frames."""

    what: str
    spot: Spot | None
    names: dict[int, str] = field(default_factory=dict)


class Stopping:
    """Watches optimizers and backward passes; `halt` is set once the program has shown enough."""

    def __init__(self, roots: Roots, recorder: Recorder, names: Callable[[FrameType | None], dict[int, str]], limit: float) -> None:
        self.roots = roots
        self.limit = limit
        """Seconds after which a program that only calls its models is stopped as well."""
        self.halt: Halt | None = None
        self.weights: list[Weights] = []
        """The weights at the first backward or step that was let pass."""
        self.optimizers: list[Any] = []
        self.missed: list[Root] = []
        """Models in an optimizer that were waited for in vain."""
        self._recorder = recorder
        self._names = names
        self._passes = 0
        self._began = 0.0
        self._started = time.monotonic()
        self._swallowed = 0
        self._thread = threading.get_ident()
        self._steps: list[tuple[type, Any]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Be asked at every backward pass and optimizer step."""
        optimizer: Any = torch.optim.Optimizer
        self.roots.before_call = self._call
        self._started, tracer = time.monotonic(), sys.gettrace()
        with ExitStack() as stack:
            stack.enter_context(changed(torch.autograd, "backward", _before(torch.autograd.backward, self._backward)))
            stack.enter_context(changed(torch.autograd, "grad", _before(torch.autograd.grad, self._gradient)))
            stack.enter_context(changed(optimizer, "__init__", _after(optimizer.__init__, self._optimizer)))
            try:
                yield
            finally:
                sys.settrace(tracer)
                for kind, step in reversed(self._steps):
                    kind.step = step

    def held(self) -> set[int]:
        """The identities of the parameters in all optimizers."""
        return {identity for one in self.optimizers for identity in self.held_by(one)}

    @staticmethod
    def held_by(optimizer: Any) -> set[int]:
        """The identities of the parameters in one optimizer."""
        return {id(tensor) for group in getattr(optimizer, "param_groups", ()) for tensor in group["params"]}

    def trained(self) -> list[Root]:
        """The roots that some optimizer holds; if there is none, those whose parameters a backward pass reached."""
        return self.roots.owners(self.held()) or [root for root in self.roots.found.values() if root.reached]

    def _optimizer(self, optimizer: Any) -> None:
        kind = type(optimizer)
        self.optimizers.append(optimizer)
        self.roots.trains = True
        if not any(known is kind for known, _ in self._steps) and hasattr(kind, "step"):
            self._steps.append((kind, kind.step))
            kind.step = _stepping(kind.step, self)

    def _backward(self, tensors: Any, *_: Any, **__: Any) -> None:
        self._differentiating(tensors)

    def _gradient(self, outputs: Any, inputs: Any, *_: Any, **__: Any) -> None:
        given = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
        if any(isinstance(one, torch.nn.Parameter) for one in given):
            self._differentiating(outputs)

    def _differentiating(self, tensors: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        self._insist()
        reached = self.roots.owners(_leaves([tensors] if isinstance(tensors, torch.Tensor) else list(tensors)))
        for root in reached:
            root.reached = True
        trained = self.roots.owners(self.held())
        if reached and (not trained or any(root in trained for root in reached)):
            self._opportunity("backward pass", trained)

    def step(self, optimizer: Any, closure: Any) -> bool:
        """Whether a step may be made: only one that changes no module."""
        if threading.get_ident() != self._thread:
            return True
        self._insist()
        if not self.roots.owners(self.held_by(optimizer)):
            return True
        if callable(closure):  # the forward and the backward pass happen inside
            with torch.enable_grad():
                closure()
        self._opportunity("optimizer step", self.roots.owners(self.held()))
        return False

    def _opportunity(self, what: str, trained: Sequence[Root]) -> None:
        """Stop here, unless models that are trained too have not been called yet."""
        waiting = [root for root in trained if not root.used]
        if not waiting or self._passes >= PASSES or (self._began and time.monotonic() - self._began > PATIENCE):
            self.missed = waiting
            frame = sys._getframe(1)  # noqa: SLF001
            self.halt = Halt(what, users(frame), self._names(frame))
            self._insist()
        self._passes += 1
        if not self._recorder.paused:
            self._began = time.monotonic()
            self._recorder.paused = True
            self.weights = [Weights(root.module) for root in trained]

    def _call(self) -> None:
        """A model is about to be called."""
        self._insist()
        late = time.monotonic() - self._started > self.limit
        if late and self.halt is None and any(root.call is not None or root.parts for root in self.roots.found.values()):
            frame = sys._getframe(1)  # noqa: SLF001
            self.halt = Halt(f"call after {self.limit:g} s without a training step", users(frame), self._names(frame))
            self._insist()

    def _insist(self) -> None:
        """Once it was decided, every further occasion ends the program again."""
        if self.halt is None or threading.get_ident() != self._thread:
            return
        self._recorder.paused = True
        self._swallowed += 1
        if self._swallowed > SWALLOWED:
            spot = users(sys._getframe(1))  # noqa: SLF001
            line = location(spot)
            where = f"{line.path}:{line.line}" if line is not None else "the program"
            sys.stderr.write(f"{where}: the program catches its own end before the first step; write `except Exception`, not `except`\n")
            sys.stderr.flush()
            os._exit(1)
        if self._swallowed > 1:
            _pursue(sys._getframe(1))  # noqa: SLF001
        raise Stop


def _pursue(frame: FrameType | None) -> None:
    """Has the next line that any running function of the user executes raise again: also the one behind `except:`.

    Python takes the tracing back as soon as it has raised.
    """

    def again(_frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            raise Stop
        return again

    while frame is not None:
        if kind_of(frame.f_code) is Kind.USER:
            frame.f_trace = again
        frame = frame.f_back
    sys.settrace(lambda *_: None)


def users(frame: FrameType | None) -> Spot | None:
    """The nearest line of the user."""
    while frame is not None:
        if kind_of(frame.f_code) is Kind.USER:
            return frame.f_code, frame.f_lasti
        frame = frame.f_back
    return None


def _leaves(tensors: Sequence[Any]) -> set[int]:
    """The identities of the leaves of the graph behind some tensors."""
    found = {id(tensor) for tensor in tensors if isinstance(tensor, torch.Tensor) and tensor.is_leaf}
    stack = [tensor.grad_fn for tensor in tensors if isinstance(tensor, torch.Tensor) and tensor.grad_fn is not None]
    seen: set[Any] = set(stack)
    while stack:
        node = stack.pop()
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found.add(id(leaf))
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append(following)
    return found


def _before(original: Any, tell: Callable[..., None]) -> Any:
    @functools.wraps(original)
    def differentiate(*args: Any, **kwargs: Any) -> Any:
        tell(*args, **kwargs)
        return original(*args, **kwargs)

    return unseen(differentiate)


def _after(original: Any, tell: Callable[[Any], None]) -> Any:
    @functools.wraps(original)
    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        tell(self)

    return unseen(make)


def _stepping(original: Any, stopping: Stopping) -> Any:
    closed = "closure" in inspect.signature(original).parameters

    @functools.wraps(original)
    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        closure = kwargs.get("closure", args[0] if args and closed else None)
        return original(self, *args, **kwargs) if stopping.step(self, closure) else None

    return unseen(step)
