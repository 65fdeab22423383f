"""The two sides of a verification: built from modules, functions and targets, as they are, fixed, or started anew."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from initcheck.construct.builder import construct
from initcheck.construct.guard import guarded
from initcheck.construct.recording.provenance import unwatched
from initcheck.construct.recording.recorder import Recorder
from initcheck.discover.targets import single
from initcheck.engine import examine, with_missing_drawn
from initcheck.errors import TargetError, UsageError
from initcheck.filling import filled
from initcheck.pretrained.arrived import with_arrivals
from initcheck.records.arrival import random_share
from initcheck.records.settings import Settings
from initcheck.records.target import Built, Fill, Target
from initcheck.records.verification import AFTER, PRETRAINED
from initcheck.remedy.healing import fix
from initcheck.remedy.starting import initialize
from initcheck.source.drafts import drafted
from initcheck.source.reading import hand_over
from initcheck.verify.adapters.own_input import Given
from initcheck.verify.trial import Made, Variant

Watch = AbstractContextManager[object]


@dataclass(frozen=True, slots=True)
class Start:
    """A model as it was built, with the sample input that its file offers."""

    model: nn.Module
    built: Built
    inputs: object = None


@dataclass(frozen=True, slots=True)
class Source:
    """What a variant is built from. `build` gives a fresh model, its writes seen by the watch; `path` is the file of the user's code.

    `live`: the model existed before and nobody saw it being built. `fill` is what is loaded into each model.
    """

    what: str
    target: Target
    build: Callable[[Watch], Start]
    path: str = ""
    live: bool = False
    inputs: object = None
    fill: Fill | None = None


def source_of(given: object, settings: Settings, inputs: object) -> Source:
    """What somebody passed: a module, a function that builds one, or a target.

    Raises:
        UsageError: for anything else.
    """
    if isinstance(given, str):
        return replace(of_target(single(given), settings), inputs=inputs)
    if isinstance(given, nn.Module):
        name = type(given).__name__
        module = given
        return Source(name, Target(name, "", name, "module"), lambda _: Start(_copied(module), Built(name)), live=True, inputs=inputs)
    if callable(given):
        name = getattr(given, "__name__", type(given).__name__)
        factory = given

        def build(watch: Watch) -> Start:
            with watch:
                model = factory()
            if not isinstance(model, nn.Module):
                raise UsageError(
                    f"{name}() returned a {type(model).__name__}, not a module", "give a function that builds and returns the model"
                )
            return Start(model, Built(f"{name}()"))

        return Source(f"{name}()", Target(name, "", name, "callable"), build, inputs=inputs)
    raise UsageError(
        f"cannot train a {type(given).__name__}", "give a module, a function that builds one, or a target such as 'model.py::Net'"
    )


def of_target(target: Target, settings: Settings) -> Source:
    """A target, built anew each time.

    Raises:
        TargetError: for one that is no model that can be built: a program, or weights alone.
    """
    if target.kind in ("program", "weights"):
        what = "a program" if target.kind == "program" else "weights without a model"
        hint = "name what builds the model: initcheck verify model.py::Net"
        raise TargetError(f"{target.spec} is {what}, which cannot be trained by itself", hint, name="no-module")
    if target.source:
        hand_over(target.path, target.source.encode("utf-8", "surrogateescape"))
    known = replace(target, inputs=target.inputs or settings.inputs)

    def build(watch: Watch) -> Start:
        with drafted(target.drafts):
            made = construct(target, watch)
        return Start(made.model, made.built, made.inputs)

    what = target.spec if target.fill is None else f"{target.spec}, {PRETRAINED}{target.fill.source}"
    path = target.path if target.recipe is not None else next((path for path, _ in target.drafts), "")
    return Source(what, known, build, path, fill=target.fill)


def variant(name: str, source: Source, settings: Settings) -> Variant:
    """The model as its source builds it, filled if that belongs to it."""

    def make(seed: int) -> Made:
        with _building(source, settings, seed):
            start = _start(source, nullcontext())
            notes = _filled(start, source, settings, seed)
        return _made(source, start, notes)

    return Variant(name, source.what, make)


def other_side(source: Source, settings: Settings) -> Variant:
    """The model that the first is compared with."""
    return variant(AFTER, source, settings)


def derived(source: Source, against: str, settings: Settings) -> Variant:
    """What `initcheck.fix` (`fixed`), `initcheck.initialize` (`recommended`) or stored weights (`pretrained:SOURCE`) make of the model."""
    what = f"{source.what}, {against}"
    if against.startswith(PRETRAINED):
        filled = replace(source, what=what, fill=Fill(against.removeprefix(PRETRAINED)))
        return replace(variant(AFTER, filled, settings), derived=True)
    make = _fixed if against == "fixed" else _started
    return Variant(AFTER, what, lambda seed: make(source, settings, seed), derived=True)


@contextmanager
def random_states() -> Iterator[None]:
    """Afterwards the random states of Python, NumPy and torch are as they were."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  (the state that user code shares)
    try:
        with torch.random.fork_rng(devices=[], device_type="cpu"):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002


@contextmanager
def _building(source: Source, settings: Settings, seed: int) -> Iterator[None]:
    """User code under the guard, with all random numbers from the seed."""
    with random_states(), guarded(source.path, trust=settings.trust, trust_pickle=settings.trust_pickle):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        yield


def _start(source: Source, watch: Watch) -> Start:
    """A fresh model, with the sample input that was given rather than the one that its file offers."""
    start = source.build(watch)
    return start if source.inputs is None else replace(start, inputs=source.inputs)


def _own(settings: Settings, source: Source, seed: int) -> Settings:
    return replace(settings, seed=seed, inputs=source.target.inputs)


def _fixed(source: Source, settings: Settings, seed: int) -> Made:
    with _building(source, settings, seed):
        recorder = Recorder()
        start = _start(source, recorder)
        recording = unwatched(start.model) if source.live else recorder.resolve(start.model)
        report = examine(start.model, recording, source.target, start.built, start.inputs, _own(settings, source, seed))
        done = fix(start.model, report, unsafe=True, inputs=start.inputs, seed=seed)
    codes = ", ".join(dict.fromkeys(row.code for row in done.rows))
    count = f"{len(done.rows)} {'remedy' if len(done.rows) == 1 else 'remedies'} applied: {codes}"
    return _made(source, start, (count if done.rows else _no_remedy(done.reason, len(report.findings)),))


def _no_remedy(reason: str, findings: int) -> str:
    return reason or ("none of the findings has a remedy that could be applied" if findings else "there are no findings, so nothing to fix")


def _started(source: Source, settings: Settings, seed: int) -> Made:
    with _building(source, settings, seed):
        start = _start(source, nullcontext())
        done = initialize(start.model, start.inputs, seed=seed)
    left = f", {len(done.left)} left as they were" if done.left else ""
    return _made(source, start, (f"{len(done.written)} parameters drawn anew by the recommended policy{left}",))


def _filled(start: Start, source: Source, settings: Settings, seed: int) -> tuple[str, ...]:
    """Loads what belongs to the source into its model, and says what arrived."""
    if source.fill is None:
        return ()
    arrivals = filled(start.model, source.fill, nullcontext(), trusted=settings.trust_pickle)
    if source.fill.fix_missing:
        recording = with_arrivals(unwatched(start.model), arrivals)
        arrivals = with_missing_drawn(start.model, recording, source.target, start.inputs, _own(settings, source, seed)).arrivals
    (arrival,) = arrivals
    count, share = len(arrival.of("loaded")), 100 * random_share(arrival)
    return (f"{count} tensors loaded from {source.fill.source}; {share:.1f} % of the parameters stay random",)


def _made(source: Source, start: Start, notes: tuple[str, ...]) -> Made:
    given = Given(start.inputs, source.target.inputs, source.target.examples)
    return Made(start.model, given, (*start.built.notes, *notes))


def _copied(module: nn.Module) -> nn.Module:
    """A copy that may be trained.

    Raises:
        UsageError: when the module cannot be copied.
    """
    try:
        return copy.deepcopy(module)
    except Exception as error:
        what = f"{type(module).__name__} cannot be copied: {type(error).__name__}: {error}"
        raise UsageError(what, "give a function that builds it: initcheck.verify(lambda: Net(...), ...)") from error
