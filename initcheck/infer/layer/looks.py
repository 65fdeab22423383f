"""What a weight looks like that nobody watched being written, in the few words of a table's column."""

from __future__ import annotations

import math

from initcheck.records.stats import WeightStats
from initcheck.theory.identify import Group, Identification, identify
from initcheck.theory.sampling import NAMEABLE, dtype_eps, mean_tolerance

TOO_FEW = "too few elements to tell"
_TWINS = ("xavier", "kaiming")
"""What may stand for a scheme beside its first name."""
_NAMES = 2
"""So many schemes are named; more are no answer."""


def looks_like(stats: WeightStats, fan_in: int, fan_out: int, blocks: int = 1) -> str:
    """`kaiming_normal(relu)`, `xavier_normal or kaiming_normal(linear)`, `normal, std 0.0144 ± 0.3 %`, `looks trained …`, or why not."""
    if stats.nonfinite:
        return "not finite"
    eps = dtype_eps(stats.dtype)
    return _words(identify(stats, fan_in, fan_out, eps, blocks), stats, eps)


def _words(found: Identification, stats: WeightStats, eps: float) -> str:
    repeated = f", each row {found.repeats} times" if found.repeats > 1 else ""
    if found.parts:
        return " | ".join(_named(part) or _law(part, "") for part in found.parts)
    if found.uneven:
        return "looks trained or rescaled by row"
    named = _named(found)
    if named:
        return named + repeated
    if found.groups or stats.numel < NAMEABLE:
        return TOO_FEW
    off = "" if abs(stats.mean) <= mean_tolerance(stats.numel, stats.std, eps) else f"mean {stats.mean:.3g}, "
    return _law(found, off) + repeated


def _named(found: Identification) -> str:
    """The winner with its twins, or the few schemes that agree on the std; empty where that would be a guess."""
    if found.winner.known():
        return _joined([found.winner.get()])
    few = 0 < len(found.groups) <= _NAMES and found.close and _precise(found)
    return _joined(found.groups) if few else ""


def _joined(groups: tuple[Group, ...] | list[Group]) -> str:
    """The first scheme of every group, then twins while there is room."""
    first = [group.label for group in groups]
    twins = [
        label
        for group in groups
        for candidate in group.candidates[1:]
        if (label := candidate.label).startswith(_TWINS) and "fan_" not in label
    ]
    return " or ".join(dict.fromkeys([*first, *twins][: max(_NAMES, len(first))]))


def _precise(found: Identification) -> bool:
    low, high = found.std_interval
    return low > 0.0 and math.isfinite(high)


def _law(found: Identification, off: str) -> str:
    low, high = found.std_interval
    if not found.family.known():
        return f"not recognised, {off}std {found.std:.3g}" if _precise(found) else TOO_FEW
    if not _precise(found):
        return f"{found.family.get()}, {off}std {found.std:.3g}"
    return f"{found.family.get()}, {off}std {found.std:.3g} ± {100.0 * (math.sqrt(high / low) - 1.0):.1g} %"
