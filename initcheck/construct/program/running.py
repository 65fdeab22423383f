"""Runs the program up to its first training step and gives out the models that it was about to train."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from initcheck.construct.blame import first_lines
from initcheck.construct.guard import own_process, torch_defaults
from initcheck.construct.inputs import Guess, describe
from initcheck.construct.made import Notes
from initcheck.construct.program.copying import affordable_rows, first_rows
from initcheck.construct.program.entry import execute, main_module
from initcheck.construct.program.failing import explained, place, shown
from initcheck.construct.program.naming import assigned_name, expression, names_in, names_of
from initcheck.construct.program.neutral import neutralised
from initcheck.construct.program.picking import Pick, overlooked, picked
from initcheck.construct.program.processes import one_process
from initcheck.construct.program.roots import Roots
from initcheck.construct.program.stopping import Stopping
from initcheck.construct.recording.frames import location
from initcheck.construct.recording.placement import on_cpu
from initcheck.construct.recording.recorder import Recorder
from initcheck.errors import NothingToCheck
from initcheck.records.recording import Recording
from initcheck.records.target import Built, Target

NO_STEP = "the program ended before a training step"


@dataclass(frozen=True, slots=True)
class Captured:
    """One model of the program as it was constructed, and what it was first called with.

    `batches` holds the whole first batch, a part of it before that if it is large, and nothing if the model was not called.
    """

    model: torch.nn.Module
    recording: Recording
    target: Target
    built: Built
    batches: tuple[Guess, ...]


@contextmanager
def captured(target: Target, limit: float) -> Iterator[tuple[Captured, ...]]:
    """The models of a program, which may call them for `limit` seconds without making a step.

    Until the context ends, the program's `__main__`, search path and command line stand.

    Raises:
        TargetError: when the program fails or exits before its first step.
        NothingToCheck: when it ends without having built a model.
    """
    notes = Notes()
    with main_module(target) as module, torch_defaults(), on_cpu(notes.add):
        recorder = Recorder()
        stopping = Stopping(Roots(), recorder, names_in, limit)
        error = _run(target, module, recorder, stopping, notes)
        if error is not None and stopping.halt is None:
            _judge(target, error, stopping, notes)
        for weights in stopping.weights:
            weights.restore()
        for root in stopping.roots.found.values():
            if root.state is not None:
                root.state.restore()
        yield _captured(target, vars(module), recorder, stopping, notes)


def _run(target: Target, module: Any, recorder: Recorder, stopping: Stopping, notes: Notes) -> BaseException | None:
    """Executes the program; returns what it raised."""
    stopping.roots.aside = _aside(recorder)
    try:
        with neutralised(notes.add), one_process(notes.add), recorder, stopping.roots.watching(), stopping.watching():
            execute(target, module)
    except BaseException as error:  # (whatever ends the user's program, also its own exit)
        if isinstance(error, KeyboardInterrupt) and not own_process():
            raise
        return error
    finally:
        torch.set_grad_enabled(True)
        torch.autograd.set_detect_anomaly(False)
    return None


def _judge(target: Target, error: BaseException, stopping: Stopping, notes: Notes) -> None:
    """A program that ended by itself before it was stopped: only a failure without a model to show for it is raised."""
    if isinstance(error, SystemExit) and not error.code:
        notes.add(f"sys.exit() at {place(target, error)}")
    elif stopping.weights:
        cause = f"{type(error).__name__}: {first_lines(str(error))}"
        notes.add(f"the program failed before all its models were called: {place(target, error)}: {cause}")
    else:
        raise explained(target, error) from error


def _captured(target: Target, space: dict[str, Any], recorder: Recorder, stopping: Stopping, notes: Notes) -> tuple[Captured, ...]:
    picks = picked(target, stopping)
    if not picks:
        hint = f"initcheck {target.path}" if target.path.endswith(".py") else "initcheck model.py::Net"
        ended = "".join(f" with {text}" for text in notes.said if text.startswith("sys.exit"))
        raise NothingToCheck(f"{target.spec} ended{ended} without having built a model", f"name what builds it: {hint}")
    names = {**names_of(space), **(stopping.halt.names if stopping.halt is not None else {})}
    for text in overlooked(stopping, picks):
        notes.add(text)
    taken: list[str] = []
    found: list[Captured] = []
    for pick in picks:
        line = location(stopping.roots.line(pick.module) or pick.root.spot)
        name = _name(pick, names) or (assigned_name(line) if pick.module is pick.root.module else "") or type(pick.module).__name__
        taken.append(name)
        if taken.count(name) > 1:
            name = f"{name}#{taken.count(name)}"
        said = (*pick.notes, *(notes.said if not found else ()))
        built = Built(expression(line) or type(pick.module).__name__, line, notes=said, stopped=_until(stopping))
        recording = recorder.resolve(pick.module)
        found.append(Captured(pick.module, recording, replace(target, spec=f"{target.spec}::{name}"), built, _batches(target, pick)))
    return tuple(found)


def _name(pick: Pick, names: dict[int, str]) -> str:
    """The name of the model in the program; that of a part is a path from the whole."""
    own = names.get(id(pick.module)) or ""
    whole = names.get(id(pick.root.module), "")
    if own or pick.module is pick.root.module:
        return own or whole
    path = next((path for path, module in pick.root.module.named_modules() if module is pick.module), "")
    if path in ("", "module", "_orig_mod"):
        return whole
    return f"{whole or type(pick.root.module).__name__}.{path}"


def _batches(target: Target, pick: Pick) -> tuple[Guess, ...]:
    call = pick.call
    if call is None:
        return ()
    origin = f"first batch of {target.spec}" if call.rank[0] else f"first call in {target.spec}"
    whole = Guess(call.args, call.kwargs, describe(call.args, call.kwargs, origin))
    rows, few = affordable_rows(call.args, call.kwargs)
    if few == rows:
        return (whole,)
    args, kwargs = first_rows(call.args, rows, few), first_rows(call.kwargs, rows, few)
    return Guess(args, kwargs, describe(args, kwargs, f"first {few} of {rows} rows of the {origin}")), whole


def _until(stopping: Stopping) -> str:
    halt = stopping.halt
    if halt is None:
        return NO_STEP if not stopping.weights else "ran past its first backward pass, training nothing"
    place_ = location(halt.spot)
    where = f" ({shown(place_.path)}:{place_.line})" if place_ is not None else ""
    return f"ran until the first {halt.what}{where}"


def _aside(recorder: Recorder) -> Callable[[], Any]:
    @contextmanager
    def aside() -> Iterator[None]:
        before, recorder.paused = recorder.paused, True
        try:
            yield
        finally:
            recorder.paused = before

    return aside
