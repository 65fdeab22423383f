"""IC206."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity, Step, remedy
from initcheck.records.recording import InitCall, Origin, ParameterRecord
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.chains import judged_chains
from initcheck.theory.drift import HARMLESS
from initcheck.theory.fans import torch_fans
from initcheck.theory.sampling import TRUNCATED_2, scale_error, std_interval
from initcheck.theory.schemes import predicted

_CUT = 2.0
"""Standard deviations at which truncated normal weights are usually cut."""
_EXACT = 5e-5
"""Relative difference up to which a std is that of a scheme: code divides by 0.8796 or by more digits of it."""


@dataclass(frozen=True)
class IneffectiveTruncation(ModelRule):
    """The bounds of `trunc_normal_` cut nothing, or so much that the std is not the one that was asked for.

    Why: `a` and `b` are absolute values, not multiples of `std`; the default bounds of -2 and 2 are 100 standard deviations away from `std=0.02`, and one
        standard deviation away from `std=2`, where what is left has a std of 1.08. Where the std was divided by 0.8796 to make up for a cut at two
        standard deviations that then never happens, it stays 1.137 times too large.
    Silent when: the nearer bound lies between 1.9 and 10 standard deviations from the mean (a cut at two is usual, it leaves 0.88 of the std), something
        rescaled the weight afterwards, or a library wrote it, unless it widened the std for a cut that never happens. A warning only where that
        excess compounds over a dozen layers of one chain and the measured signal grows.
    Source: the documentation of torch.nn.init.trunc_normal_; the std of a truncated normal distribution, 0.8796 for a cut at two.
    """

    code: ClassVar[str] = "IC206"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = ("weight-too-large", "signal-explodes", "gradient-explodes", "initial-loss-too-high")
    explains_from: ClassVar[Severity] = "warning"
    nearest: float = tolerance(1.9, "standard deviations from mean to bound below which the std is off")
    farthest: float = tolerance(10.0, "standard deviations from mean to bound beyond which nothing is cut")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 32))\nnn.init.trunc_normal_(model[1].weight, std=0.02)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 32))\n"
            "nn.init.trunc_normal_(model[1].weight, std=0.02, a=-0.04, b=0.04)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        groups: dict[InitCall, list[ParameterRecord]] = {}
        widened: list[_Widened] = []
        for record in evidence.recording.parameters:
            call = _asked(record, ("user", "library"))
            if call is None or self.nearest <= _distance(call) < self.farthest:
                continue
            stats = evidence.stats(record.name)
            meant = _meant(call, record.shape) if _distance(call) >= self.farthest else None
            if meant is not None and stats is not None:
                widened.append(_Widened(record, stats, *meant))
            elif _asked(record, ("user",)) is not None:
                groups.setdefault(call, []).append(record)
        yield from self._too_wide(widened, evidence)
        for call, records in groups.items():
            yield from self._say(call, records)

    def _say(self, call: InitCall, records: list[ParameterRecord]) -> Iterator[Finding]:
        mean, std, low, high = (_number(call, key) for key in ("mean", "std", "a", "b"))
        drawn = predicted(call, records[0].shape)
        if drawn is None:
            return
        cuts = _distance(call) < self.nearest
        names = tuple(record.name for record in records)
        wanted = _cut_at(std, mean)
        yield self.finding(
            names,
            f"the truncation changes the std from {std:.3g} to {drawn.std:.3g}"
            if cuts
            else "the truncation cuts nothing: its bounds are absolute values",
            observed=f"bounds {low:.3g} and {high:.3g}, std {std:.3g}: the nearer bound is {_distance(call):.3g} standard deviations from the mean",
            expected=f"bounds at {_CUT:g} standard deviations: a={mean - _CUT * std:.3g}, b={mean + _CUT * std:.3g}",
            location=written_at(records[0]),
            fix=Fix(names, wanted, "safe", f"cut at {_CUT:g} standard deviations"),
            note=f"std {drawn.std:.3g}" if cuts else "plain normal",
            why="`a` and `b` of `trunc_normal_` do not scale with `std`."
            + ("" if cuts else " The weights are plain normal ones; that is harmless unless rare large values are not."),
        )

    def _too_wide(self, widened: list[_Widened], evidence: Evidence) -> Iterator[Finding]:
        """One finding for all weights whose std makes up for a cut that never happens; the largest of them is the proof."""
        worst = max(widened, key=lambda one: one.stats.numel, default=None)
        if worst is None or std_interval(worst.stats.std, worst.stats.numel, kurtosis=worst.stats.kurtosis)[0] <= worst.meant:
            return
        names = tuple(one.record.name for one in widened)
        excess = 1.0 / TRUNCATED_2.shrink
        error = 100.0 * scale_error(worst.stats.numel, worst.stats.kurtosis)
        yield self.finding(
            names,
            f"the std makes up for a truncation that never happens: it is {excess:.3f} times too large",
            severity="warning" if _compounds(set(names), evidence) else "info",
            observed=f"std {worst.stats.std:.4g} ± {error:.1g} %, that is {worst.stats.std / worst.meant:.3f} times {worst.formula}; kurtosis"
            f" {worst.stats.kurtosis:.3g} (normal 3, cut at two 2.37)",
            expected=f"std {worst.meant:.4g}, bounds at {_CUT:g} standard deviations",
            location=written_at(worst.record),
            fix=remedy(
                [Step((one.record.name,), _cut_at(one.meant / TRUNCATED_2.shrink)) for one in widened],
                "safe" if all(_asked(one.record, ("user",)) is not None for one in widened) else "unsafe",
                f"let the bounds follow the std (a=-{_CUT:g} * std, b={_CUT:g} * std), or draw at the std itself",
            ),
            note=f"{excess:.3f} times too large",
            why=f"The std was divided by {TRUNCATED_2.shrink:.4f}, which a cut at two standard deviations would take away; but `a` and `b` are absolute"
            f" values and cut nothing. Each such layer multiplies the second moment by {excess**2:.2f}.",
        )


@dataclass(frozen=True, slots=True)
class _Widened:
    """A weight whose std was divided by that of a truncated normal; `meant` is the std before, `formula` how it is spelled."""

    record: ParameterRecord
    stats: WeightStats
    meant: float
    formula: str


def _meant(call: InitCall, shape: tuple[int, ...]) -> tuple[float, str] | None:
    """The std of a named scheme, exactly that of the call once its cut is made up for; `None` for any other std."""
    std = _number(call, "std")
    try:
        fans = torch_fans(shape)
    except NotKnown:
        return None
    if float(f"{std:.3g}") == std:
        return None  # a round number that somebody wrote down
    mean = (fans.fan_in + fans.fan_out) / 2.0
    for gain, square in (("1", 1.0), ("sqrt(2)", 2.0)):
        for fan, size in (("fan_in", fans.fan_in), ("fan_out", fans.fan_out), ("mean fan", mean)):
            meant = math.sqrt(square / size)
            if math.isclose(std * TRUNCATED_2.shrink, meant, rel_tol=_EXACT):
                return meant, f"{gain}/sqrt({fan} {size:g})"
    return None


def _compounds(names: set[str], evidence: Evidence) -> bool:
    """Whether so many of these weights lie in one growing chain that their excess alone is worth a warning."""
    each = -2.0 * math.log(TRUNCATED_2.shrink)
    return any(verdict.judged > 0 and each * len(names & set(verdict.chain.weights)) >= HARMLESS for verdict in judged_chains(evidence))


def _asked(record: ParameterRecord, origins: tuple[Origin, ...]) -> InitCall | None:
    """The call, where a line of one of these origins wrote the final values with it."""
    ruling = record.ruling()
    if ruling is None or ruling.origin not in origins or not ruling.call.known() or record.later():
        return None
    call = ruling.call.get()
    numbers = all(isinstance(call.argument(key, value), (int, float)) for key, value in _DEFAULTS.items())
    return call if call.name == "trunc_normal_" and numbers and _number(call, "std") > 0 else None


def _cut_at(std: float, mean: float = 0.0) -> InitCall:
    return InitCall("trunc_normal_", (("mean", mean), ("std", std), ("a", mean - _CUT * std), ("b", mean + _CUT * std)))


_DEFAULTS = {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0}


def _number(call: InitCall, key: str) -> float:
    value = call.argument(key, _DEFAULTS[key])
    return float(value) if isinstance(value, (int, float)) else _DEFAULTS[key]


def _distance(call: InitCall) -> float:
    """From the mean to the nearer bound, in standard deviations."""
    mean = _number(call, "mean")
    return min(mean - _number(call, "a"), _number(call, "b") - mean) / _number(call, "std")
