"""What can be said of stored weights without their model: little about scale, for a trained weight is no initialization any more.

Six rules have something to say; the others need to know where a weight stands, and are told as not judged.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from initcheck.records.finding import Finding, Fix, Severity, Skip
from initcheck.records.recording import InitCall
from initcheck.records.settings import Settings
from initcheck.records.stats import WeightStats
from initcheck.rules.base import Rule
from initcheck.rules.judge import Judgement, selected
from initcheck.rules.scale.scale_outlier import ScaleOutlier
from initcheck.rules.symmetry.cloned_layers import ClonedLayers
from initcheck.rules.symmetry.constant_weight import ConstantWeight
from initcheck.rules.symmetry.identical_units import IdenticalUnits
from initcheck.rules.symmetry.non_finite_weight import NonFiniteWeight
from initcheck.rules.symmetry.zero_weight import ZeroWeight

T = TypeVar("T")

NO_MODEL = "no model: only the weights were read"
"""Why a rule is silent about stored weights."""
AS_STORED = "weights from a checkpoint: judged as stored values, not as an initialization"
"""What is said of every set of stored weights."""

_WEIGHT = re.compile(r"(^|[._])weight(_(ih|hh|v)(_l\d+)?(_reverse)?)?$")
_TABLE = re.compile(r"emb|wte|wpe|vocab|token", re.IGNORECASE)
_NORM = re.compile(r"norm|(^|[._])ln(_|\d|\.|$)|(^|\.)bn", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_SIBLINGS = 5
"""Weights of one name but for its numbers, and of one shape, among which one can be an outlier."""
_FAR, _NEAR = 10.0, 3.0
"""Ratio to the median of the siblings beyond which a weight is told, and within which all others lie."""
_MANY = 3
"""Weights with the same numbers from which it is a stack of copies; two may be tied, or an average beside its model."""


def judge_stored(weights: Sequence[WeightStats], settings: Settings) -> Judgement:
    """The findings on tensors whose model is not known.

    Raises:
        UsageError: when `select` or `ignore` names no rule.
    """
    wanted = {cls.code for cls in selected(settings)}
    shapes = {stats.parameter: stats.shape for stats in weights}
    matrices = [stats for stats in weights if _is_matrix(stats, shapes)]
    speaking: dict[type[Rule], Callable[[], Iterable[Finding]]] = {
        ZeroWeight: lambda: _zero(matrices),
        ConstantWeight: lambda: _constant(matrices),
        IdenticalUnits: lambda: _copies(matrices),
        ClonedLayers: lambda: _cloned(matrices),
        NonFiniteWeight: lambda: _broken(weights),
        ScaleOutlier: lambda: _outliers(matrices),
    }
    findings = [finding for rule, judged in speaking.items() if rule.code in wanted for finding in judged()]
    asked = {rule.code for rule in speaking} & wanted
    order: tuple[Severity, ...] = ("error", "warning", "info")
    findings.sort(key=lambda finding: (order.index(finding.severity), finding.code))
    skips = (Skip("", "", AS_STORED), *(Skip(code, "", NO_MODEL) for code in sorted(wanted - asked)))
    return Judgement(tuple(findings), skips, (), tuple(sorted(asked)))


def _is_matrix(stats: WeightStats, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Whether a tensor mixes units beyond doubt: called a weight, with several rows and columns, and not the scale of a norm."""
    name, shape = stats.parameter, stats.shape
    if len(shape) < 2 or shape[0] < 2 or stats.numel // shape[0] < 2 or not _WEIGHT.search(name) or stats.nonfinite:
        return False
    path, _, leaf = name.rpartition(".")
    bias = f"{path}.{leaf.replace('weight', 'bias')}".lstrip(".")
    return shapes.get(bias) != shape and not _NORM.search(name)


def _zero(matrices: Sequence[WeightStats]) -> Iterable[Finding]:
    found = [stats for stats in matrices if not stats.second_moment]
    if found:
        yield ZeroWeight().finding(
            _names(found),
            "stored as zeros throughout",
            severity="info",
            observed=_counted(found, "all zero"),
            expected="zeros only where a branch ends, as in LoRA's B or a zero-initialized head",
            why="Whether zero is right here depends on where the weight stands, which the file does not tell. Training never leaves it so.",
        )


def _constant(matrices: Sequence[WeightStats]) -> Iterable[Finding]:
    found = [stats for stats in matrices if stats.constant and stats.second_moment]
    for severity, group in _by_severity(found, lambda stats: "info" if _perhaps_depthwise(stats) else "warning"):
        yield ConstantWeight().finding(
            _names(group),
            "all elements are the same number",
            severity=severity,
            observed=_counted(group, f"every element is {group[0].mean:.4g}" if len(group) == 1 else "one number each"),
            expected="weights that differ from unit to unit",
            fix=_drawn(_names(group)),
            why="Equal units receive equal gradients, so gradient descent keeps them equal: this weight was never drawn.",
        )


def _copies(matrices: Sequence[WeightStats]) -> Iterable[Finding]:
    random = [stats for stats in matrices if not stats.constant and stats.zeros * 2 < stats.numel]
    same = [stats for stats in random if stats.distinct_rows == 1 or stats.rank_one]
    for severity, group in _by_severity(same, lambda stats: "info" if _perhaps_depthwise(stats) else "warning"):
        yield _duplicates(group, severity, "all units are the same function, or multiples of one")
    partly = [
        stats for stats in random if stats not in same and stats.distinct_rows < stats.shape[0] and not _TABLE.search(stats.parameter)
    ]
    if partly:
        yield _duplicates(partly, "info", "some units are exact copies of others")


def _duplicates(group: Sequence[WeightStats], severity: Severity, message: str) -> Finding:
    first = group[0]
    rank = ", rank 1" if first.rank_one else ""
    return IdenticalUnits().finding(
        _names(group),
        message,
        severity=severity,
        observed=_counted(group, f"{first.distinct_rows} distinct rows of {first.shape[0]}{rank} in {first.parameter}"),
        expected="all rows distinct",
        fix=_drawn(_names(group)),
        why="Random numbers are never equal by chance: the units were copied, or never drawn one by one.",
    )


def _cloned(matrices: Sequence[WeightStats]) -> Iterable[Finding]:
    groups: dict[tuple[str, tuple[int, ...]], list[WeightStats]] = {}
    for stats in matrices:
        if stats.fingerprint and stats.numel >= 8 and stats.zeros * 2 < stats.numel and stats.diagonal is None:
            groups.setdefault((stats.fingerprint, stats.shape), []).append(stats)
    cloned = [group for group in groups.values() if len(group) > 1]
    for severity, chosen in _by_severity(cloned, lambda group: "warning" if len(group) >= _MANY else "info"):
        deepest = max(len(group) for group in chosen)
        few = deepest < _MANY
        yield ClonedLayers().finding(
            tuple(stats.parameter for group in chosen for stats in group[1:]),
            f"{'pairs of' if few else f'up to {deepest}'} weights hold the same random numbers: {chosen[0][0].parameter} and others",
            severity=severity,
            observed=f"{sum(len(group) - 1 for group in chosen)} weights are byte-identical to another",
            expected="different numbers in each layer",
            fix=None if few else _drawn(tuple(stats.parameter for group in chosen for stats in group[1:])),
            why="They may be tied, or an average beside its model."
            if few
            else "Layers that start as copies and are still equal were never trained apart.",
        )


def _outliers(matrices: Sequence[WeightStats]) -> Iterable[Finding]:
    groups: dict[tuple[str, tuple[int, ...]], list[WeightStats]] = {}
    for stats in matrices:
        if stats.second_moment and math.isfinite(stats.second_moment):
            groups.setdefault((_NUMBER.sub("#", stats.parameter), stats.shape), []).append(stats)
    for group in groups.values():
        size = {stats.parameter: 0.5 * math.log(stats.second_moment) for stats in group}
        middle = statistics.median(size.values())
        far = [stats for stats in group if abs(size[stats.parameter] - middle) > math.log(_FAR)]
        rest = [stats for stats in group if abs(size[stats.parameter] - middle) <= math.log(_NEAR)]
        if len(group) < _SIBLINGS or not far or len(far) + len(rest) < len(group) or len(far) * _SIBLINGS > len(group):
            continue
        first = far[0]
        factor = math.exp(abs(size[first.parameter] - middle))
        yield ScaleOutlier().finding(
            _names(far),
            f"{factor:.3g} times as {'large' if size[first.parameter] > middle else 'small'} as the same weight of the other layers",
            severity="info",
            observed=_counted(far, f"root mean square {math.sqrt(first.second_moment):.3g} in {first.parameter}"),
            expected=f"near {math.exp(middle):.3g}, as in the {len(rest)} others",
            why="Training seldom drives one layer so far from its siblings: it was rescaled, never trained, or comes from elsewhere.",
        )


def _broken(weights: Sequence[WeightStats]) -> Iterable[Finding]:
    found = [stats for stats in weights if stats.nonfinite]
    # a mask of minus infinity is what it should be
    for severity, group in _by_severity(found, lambda stats: "info" if "mask" in stats.parameter.rpartition(".")[2] else "error"):
        count = sum(stats.nonfinite for stats in group)
        yield NonFiniteWeight().finding(
            _names(group),
            "holds NaN or infinity",
            severity=severity,
            observed=f"{count:,} of {sum(stats.numel for stats in group):,} elements are not finite",
            expected="finite values",
            fix=_drawn(tuple(stats.parameter for stats in group if len(stats.shape) > 1 and not _NORM.search(stats.parameter))),
            why="Every output that reads these elements is NaN or infinite. Go back to a checkpoint from before.",
        )


def _drawn(names: tuple[str, ...]) -> Fix | None:
    """torch's own start, all that a shape tells; what suits the place of the weight is only known with its model."""
    call = InitCall("kaiming_uniform_", (("a", math.sqrt(5.0)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu")))
    return Fix(names, call, "unsafe", "draw it as torch's layers do; name the model for the scheme that suits its place") if names else None


def _perhaps_depthwise(stats: WeightStats) -> bool:
    """A kernel with one input channel may stand for one channel each, as fixed filters do."""
    return len(stats.shape) > 2 and stats.shape[1] == 1


def _by_severity(items: Iterable[T], severity: Callable[[T], Severity]) -> list[tuple[Severity, list[T]]]:
    groups: dict[Severity, list[T]] = {}
    for item in items:
        groups.setdefault(severity(item), []).append(item)
    return list(groups.items())


def _names(group: Sequence[WeightStats]) -> tuple[str, ...]:
    return tuple(stats.parameter for stats in group)


def _counted(group: Sequence[WeightStats], what: str) -> str:
    return what if len(group) == 1 else f"{len(group)} weights; {what}"
