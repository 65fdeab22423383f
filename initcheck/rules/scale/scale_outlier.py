"""IC208."""

from __future__ import annotations

import math
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example, Mends
from initcheck.records.source import Location
from initcheck.records.stats import WeightStats
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.remedies import rescale
from initcheck.rules.standing import own_start
from initcheck.theory.sampling import NAMEABLE, NORMAL, scale_error, std_tolerance

_KINDS = ("linear", "conv", "conv_transpose", "matmul")
_SHARE = 5
"""At most one sibling in five is an outlier; more are a group of their own."""


@dataclass(frozen=True, slots=True)
class _Sibling:
    """A weight among those that differ from it in the numbers of their names only.

    sizes: ln of its std, of std sqrt(fan_in) and of std sqrt(fan_out). error: largest |ln(measured std / true std)|.
    """

    layer: Layer
    stats: WeightStats
    sizes: tuple[float, float, float]
    error: float


@dataclass(frozen=True, slots=True)
class _Outlier:
    """A sibling that is exp(offset) times as large as the median of the others; `others` are those that agree."""

    sibling: _Sibling
    offset: float
    others: tuple[_Sibling, ...]


@dataclass(frozen=True)
class ScaleOutlier(ModelRule):
    """One weight's scale is far from that of its siblings in the other blocks.

    Why: repeated blocks are drawn by one scheme; a block whose weight is several times larger (or smaller) than all others was rescaled, initialized twice or
        reached by another line.
    Silent when: std, std sqrt(fan_in) or std sqrt(fan_out) is within a factor of 4 of the siblings' median or of a neighbour's (schedules over depth, widths), the
        siblings do not agree among themselves, the weight is the first or the last of them, plays another role in the dataflow (head, end of a branch, gate, in
        front of a normalization), is tied, frozen, loaded, sparse, constant or computed at run time, there are fewer than five, or the model was not watched
        being built. Always an info by itself: where the signal suffers from it, weight-too-large, weight-too-small and their like take it in.
    Source: the sampling error of a std. Measured (one seed): the last weight of one of eight residual branches 10 to 100 times as large cost 1 to 2.5 points of
        accuracy, normalized or not, with SGD and Adam; a layer shrunk to a hundredth cost nothing.
    """

    code: ClassVar[str] = "IC208"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "unsafe"
    symptom: ClassVar[bool] = True
    factor: float = tolerance(4.0, "smallest ratio of a weight's scale to that of its siblings")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\nmodel = nn.Sequential(*[nn.Sequential(nn.Linear(32, 32), nn.LayerNorm(32), nn.ReLU()) for _ in range(6)])\n"
            "with torch.no_grad():\n    model[3][0].weight.mul_(8)\n",
            good="import torch\nfrom torch import nn\n\nmodel = nn.Sequential(*[nn.Sequential(nn.Linear(32, 32), nn.LayerNorm(32), nn.ReLU()) for _ in range(6)])\n",
            input_shape=(32,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        groups: dict[tuple[object, ...], list[_Sibling]] = defaultdict(list)
        for layer in evidence.layers:
            stats = evidence.stats(layer.weight)
            if stats is not None and _judged(layer, stats, evidence):
                groups[_family(layer)].append(_sibling(layer, stats))
        found = [outlier for group in groups.values() for outlier in self._outliers(group)]
        if found and not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its writes; pass a function that builds it")
        for outlier in found:
            yield self._say(outlier, evidence)

    def _outliers(self, group: list[_Sibling]) -> Iterator[_Outlier]:
        """The few members that are far from the median and from both neighbours by every measure, where the others agree by one."""
        if len(group) < _SHARE:
            return
        limit = math.log(self.factor)
        middle = [statistics.median(one.sizes[axis] for one in group) for axis in range(3)]
        far = [one for one in group if _same_side([one.sizes[axis] - middle[axis] for axis in range(3)], limit)]
        rest = tuple(one for one in group if one not in far)
        if not far or len(far) * _SHARE > len(group):
            return
        spread = [max(one.sizes[axis] for one in rest) - min(one.sizes[axis] for one in rest) for axis in range(3)]
        axis = min(range(3), key=lambda index: spread[index])
        if spread[axis] >= limit / 2.0:
            return
        for one in far:
            place = group.index(one)
            beside = (group[place - 1], group[place + 1]) if 0 < place < len(group) - 1 else ()
            apart = all(
                _same_side([one.sizes[axis] - other.sizes[axis] for axis in range(3)], limit + one.error + other.error) for other in beside
            )
            if beside and apart:
                yield _Outlier(one, one.sizes[axis] - statistics.median(other.sizes[axis] for other in rest), rest)

    def _say(self, outlier: _Outlier, evidence: Evidence) -> Finding:
        layer, stats = outlier.sibling.layer, outlier.sibling.stats
        factor = math.exp(abs(outlier.offset))
        way = "larger" if outlier.offset > 0 else "smaller"
        stds = sorted(other.stats.std for other in outlier.others)
        return self.finding(
            (layer.weight,),
            f"the scale is {factor:.3g} times {way} than that of its {len(outlier.others)} siblings",
            observed=f"std {stats.std:.3g} ± {100 * scale_error(stats.numel, stats.kurtosis):.1g} %, those of the siblings {stds[0]:.3g} to {stds[-1]:.3g}",
            expected=f"about {math.exp(math.log(stats.std) - outlier.offset):.3g}",
            location=_changed_at(layer, evidence),
            fix=_remedy(outlier, evidence),
            note=f"{factor:.3g} times {way} than its siblings",
            why="Blocks that are built alike start alike; one that does not was usually rescaled or initialized by accident.",
        )


def _judged(layer: Layer, stats: WeightStats, evidence: Evidence) -> bool:
    if layer.kind not in _KINDS or layer.derived or layer.tied or layer.part or not layer.uses or not layer.feeds.known():
        return False
    plain = stats.numel >= NAMEABLE and not stats.nonfinite and stats.std > 0 and stats.zeros * 2 < stats.numel
    return plain and not stats.outliers and layer.fan_in.known() and layer.fan_out.known() and own_start(layer.weight, evidence)


def _family(layer: Layer) -> tuple[object, ...]:
    """What siblings have in common: the name but for its numbers, the kind of layer, and the role in the dataflow."""
    name = re.sub(r"\d+", "#", layer.weight)
    place = layer.feeds.get(), layer.norm, layer.closes_branch, layer.inside_branch, layer.gates, len(layer.packed)
    return name, layer.kind, layer.shape[2:], layer.groups > 1, *place


def _sibling(layer: Layer, stats: WeightStats) -> _Sibling:
    size = math.log(stats.std)
    sizes = (size, size + 0.5 * math.log(layer.fan_in.get()), size + 0.5 * math.log(layer.fan_out.get()))
    return _Sibling(layer, stats, sizes, std_tolerance(NORMAL, stats.numel))


def _same_side(offsets: list[float], limit: float) -> bool:
    return all(offset >= limit for offset in offsets) or all(offset <= -limit for offset in offsets)


def _changed_at(layer: Layer, evidence: Evidence) -> Location | None:
    """The line that rescaled the weight, else the one that wrote it."""
    record = evidence.record(layer.weight)
    later = record.later() if record is not None else ()
    lines = [write.location.get() for write in later if write.location.known()]
    return lines[-1] if lines else written_at(record)


def _remedy(outlier: _Outlier, evidence: Evidence) -> Fix | None:
    """The call that made the siblings, where it is one; else their scale."""
    weight, model = outlier.sibling.layer.weight, outlier.others[0].layer.weight
    calls = set()
    for other in outlier.others:
        record = evidence.record(other.layer.weight)
        ruling = record.ruling() if record is not None else None
        calls.add(ruling.call.get() if record is not None and ruling is not None and ruling.call.known() and not record.later() else None)
    call = calls.pop() if len(calls) == 1 else None
    title = f"draw it like `{model}`"
    return Fix((weight,), call, "unsafe", title) if call is not None else rescale((weight,), math.exp(-outlier.offset), title)
