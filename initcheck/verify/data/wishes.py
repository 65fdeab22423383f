"""What was asked for, checked before anything is started, and its images fetched."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from initcheck.errors import UsageError
from initcheck.records.verification import Optimizer, Wish
from initcheck.verify.data.fetching import fetch
from initcheck.verify.data.sets import raw_folder


def checked(wish: Wish) -> None:
    """Looks at the numbers.

    Raises:
        UsageError: for one that makes no sense.
    """
    if not 0 <= wish.seeds <= 100:
        raise UsageError(f"seeds must lie between 1 and 100 (0: as the budget allows), not {wish.seeds}", "--seeds 3")
    bad = next((rate for rate in wish.rates if not 0 < rate < 1e3), None)
    if bad is not None:
        raise UsageError(f"a learning rate must lie above 0 and below 1000, not be {bad:g}", "--lrs 0.001,0.003,0.01")
    if not 0 < wish.budget < 1e7:
        raise UsageError(f"the budget must be a number of seconds above 0, not {wish.budget:g}", "--budget 60s")
    if not 0 <= wish.epochs < 1e6:
        raise UsageError(f"epochs must be 0 (as the budget allows) or more, not {wish.epochs:g}", "--epochs 5")
    if not math.isfinite(wish.min_gain):
        raise UsageError(f"the least gain must be a number of points, not {wish.min_gain:g}", "--min-gain 1")


def optimizer_named(name: str) -> Optimizer:
    """The optimizer of that name.

    Raises:
        UsageError: when there is none.
    """
    if name not in ("adamw", "sgd"):
        raise UsageError(f"there is no optimizer {name!r} here", "--optimizer adamw, or sgd")
    return "sgd" if name == "sgd" else "adamw"


def download_data(wish: Wish, tell: Callable[[str], None]) -> None:
    """Fetches the set that was asked for, unless it is there; `auto` is MNIST.

    Raises:
        InitcheckError: when it cannot be had.
    """
    wanted = replace(wish, data="mnist") if wish.data == "auto" else wish
    place = raw_folder(wanted)
    if place is None:
        raise UsageError(f"--download knows mnist, fashion and kmnist, not {wish.data!r}", "--data mnist --download")
    fetch(wanted.data, place, tell)
