"""IC206."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall, ParameterRecord
from initcheck.records.rule import Example
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.theory.schemes import predicted

_CUT = 2.0
"""Standard deviations at which truncated normal weights are usually cut."""


@dataclass(frozen=True)
class IneffectiveTruncation(ModelRule):
    """The bounds of `trunc_normal_` cut nothing, or so much that the std is not the one that was asked for.

    Why: `a` and `b` are absolute values, not multiples of `std`; the default bounds of -2 and 2 are 100 standard deviations away from `std=0.02`, and one
        standard deviation away from `std=2`, where what is left has a std of 1.08.
    Silent when: the nearer bound lies between 1.9 and 10 standard deviations from the mean (a cut at two is usual, it leaves 0.88 of the std), a library
        wrote the weight, or something rescaled it afterwards.
    Source: the documentation of torch.nn.init.trunc_normal_; the std of a truncated normal distribution.
    """

    code: ClassVar[str] = "IC206"
    severity: ClassVar[Severity] = "info"
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
        for record in evidence.recording.parameters:
            call = _asked(record)
            if call is not None and not self.nearest <= _distance(call) < self.farthest:
                groups.setdefault(call, []).append(record)
        for call, records in groups.items():
            yield from self._say(call, records)

    def _say(self, call: InitCall, records: list[ParameterRecord]) -> Iterator[Finding]:
        mean, std, low, high = (_number(call, key) for key in ("mean", "std", "a", "b"))
        drawn = predicted(call, records[0].shape)
        if drawn is None:
            return
        cuts = _distance(call) < self.nearest
        names = tuple(record.name for record in records)
        wanted = InitCall("trunc_normal_", (("mean", mean), ("std", std), ("a", mean - _CUT * std), ("b", mean + _CUT * std)))
        yield self.finding(
            names,
            f"the truncation changes the std from {std:.3g} to {drawn.std:.3g}"
            if cuts
            else "the truncation cuts nothing: its bounds are absolute values",
            observed=f"bounds {low:.3g} and {high:.3g}, std {std:.3g}: the nearer bound is {_distance(call):.3g} standard deviations from the mean",
            expected=f"bounds at {_CUT:g} standard deviations: a={mean - _CUT * std:.3g}, b={mean + _CUT * std:.3g}",
            location=written_at(records[0]),
            fix=Fix(names, wanted, "unsafe", f"cut at {_CUT:g} standard deviations"),
            note=f"std {drawn.std:.3g}" if cuts else "plain normal",
            why="`a` and `b` of `trunc_normal_` do not scale with `std`."
            + ("" if cuts else " The weights are plain normal ones; that is harmless unless rare large values are not."),
        )


def _asked(record: ParameterRecord) -> InitCall | None:
    """The call, where a user's own line wrote the final values with it."""
    ruling = record.ruling()
    if ruling is None or ruling.origin != "user" or not ruling.call.known() or record.later():
        return None
    call = ruling.call.get()
    numbers = all(isinstance(call.argument(key, value), (int, float)) for key, value in _DEFAULTS.items())
    return call if call.name == "trunc_normal_" and numbers and _number(call, "std") > 0 else None


_DEFAULTS = {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0}


def _number(call: InitCall, key: str) -> float:
    value = call.argument(key, _DEFAULTS[key])
    return float(value) if isinstance(value, (int, float)) else _DEFAULTS[key]


def _distance(call: InitCall) -> float:
    """From the mean to the nearer bound, in standard deviations."""
    mean = _number(call, "mean")
    return min(mean - _number(call, "a"), _number(call, "b") - mean) / _number(call, "std")
