"""`initcheck.verify`: two variants of a model trained briefly side by side, in this process or as the work of a child."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from initcheck import __version__
from initcheck.construct.guard import guarded
from initcheck.engine import settings_of
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.settings import Settings
from initcheck.records.target import Target
from initcheck.records.verification import BEFORE, GIVEN, REWRITTEN, Verification, Wish, is_derived
from initcheck.remedy.variants import Source, derived, of_target, other_side, random_states, source_of, variant
from initcheck.report.sparkline import Axis, sparkline
from initcheck.verify.data.wishes import checked, download_data, optimizer_named
from initcheck.verify.training import Progress, one_thread
from initcheck.verify.trial import Variant, trial

_PAUSE = 0.2
"""Seconds between two words about the progress."""

_LOSSES = Axis(-2, 1)


def verify(
    before: object,
    after: object = "fixed",
    *,
    data: str = "auto",
    data_dir: str = "",
    download: bool = False,
    seeds: int = 0,
    lrs: tuple[float, ...] | None = None,
    budget: float = 60.0,
    optimizer: str = "adamw",
    epochs: float = 0.0,
    min_gain: float = 0.0,
    inputs: object = None,
    progress: Callable[[str], None] = lambda _: None,
    **settings: Any,
) -> Verification:
    """Trains two variants of a model briefly on handwritten digits, and says whether one trains better.

    Both see the same batches in the same order, at several learning rates and seeds; each is judged at its own best rate. What is
    trained follows from the model and the budget, not from the clock: two calls give the same numbers.

    Args:
        before: a module (a copy of it is trained), a function without arguments that builds one (anew for each seed), or a target
            such as `"model.py::Net"`.
        after: the same again, or `"fixed"` (what `initcheck.fix` makes of it, remedies that need consent included) or `"recommended"`
            (what `initcheck.initialize` makes of it), or `"pretrained:SOURCE"` (with the weights that `initcheck.load` takes from there).
        data: `auto` (a subset of MNIST that comes with initcheck; the whole set if `data_dir` is given), `mnist`, `fashion`, `kmnist`, or a
            folder of IDX files.
        data_dir: the folder in which whole sets lie as torchvision puts them; `data` when left out.
        download: fetch the set once if it is not there.
        seeds: trainings per rate and variant; 5, or 3 where a step is dear, when left out. Each seed draws new weights, where a function
            or a target builds them, and a new order of the images.
        lrs: learning rates; four around the usual ones when left out.
        budget: seconds that all trainings may take.
        optimizer: `adamw` or `sgd` (with momentum 0.9).
        epochs: length of each training; chosen by the budget when 0.
        min_gain: points that must be gained for `ok`.
        inputs: a sample input, as for `initcheck.check`; synthesised when left out.
        progress: is told what is being trained.
        **settings: fields of `Settings`, as for `initcheck.check`.

    Returns:
        Verdict, interval, and every run; `print` it. The models, their gradients and the random states are left as they were.

    Raises:
        UsageError: for a value that makes no sense.
        InitcheckError: when a model cannot be built, run or trained, or the images cannot be had.
    """
    chosen = settings_of(settings)
    against = after if isinstance(after, str) and is_derived(after) else GIVEN
    rates = tuple(sorted({float(rate) for rate in lrs or ()}))
    if download and data == "auto":
        data = "mnist"
    wish = Wish(against, data, data_dir, seeds, rates, float(budget), optimizer_named(optimizer), float(epochs), float(min_gain))
    checked(wish)
    if download:
        download_data(wish, progress)
    source = source_of(before, chosen, inputs)
    other = derived(source, against, chosen) if is_derived(against) else other_side(source_of(after, chosen, inputs), chosen)
    return _tried(source, other, wish, chosen, progress)


def in_child(target: Target, settings: Settings, asked: dict[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    """The same for targets, as the work of a child process: plain values in, plain values out."""
    wish = from_plain(Wish, asked["wish"])
    progress(f"building {target.spec}")
    source = of_target(target, settings)
    if asked["after"] is None:
        other = derived(source, wish.against, settings)
    else:
        given = of_target(from_plain(Target, asked["after"]), settings)
        if wish.against == REWRITTEN:
            given = replace(given, what=f"{given.what}, {REWRITTEN}")
        other = other_side(given, settings)
    found: dict[str, Any] = to_plain(_tried(source, other, wish, settings, progress))
    return found


def _tried(source: Source, other: Variant, wish: Wish, settings: Settings, progress: Callable[[str], None]) -> Verification:
    with random_states(), one_thread(), guarded("", trust=settings.trust, trust_pickle=settings.trust_pickle):
        found = trial(source.what, variant(BEFORE, source, settings), other, wish, settings.seed, _spoken(progress))
    return replace(found, version=__version__, torch=str(torch.__version__))


def _spoken(tell: Callable[[str], None]) -> Progress:
    """The course of a training in words, a few times a second."""
    last = -_PAUSE

    def progress(what: str, loss: float, losses: tuple[float, ...]) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PAUSE:
            last = now
            tell(f"training {what}: loss {loss:.3g} {sparkline(losses, _LOSSES)}")

    return progress
