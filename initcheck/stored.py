"""A check of stored weights: opened, measured one tensor at a time, judged as what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from initcheck.construct.weights.opening import Stored, open_weights
from initcheck.infer.layer.looks import looks_like
from initcheck.measure.parameters.weights import unmeasurable, weight_stats
from initcheck.records.finding import Skip
from initcheck.records.report import LayerSummary, ModelReport
from initcheck.records.settings import Settings
from initcheck.records.stats import WeightStats
from initcheck.records.target import Built, Target
from initcheck.rules.stored import NO_MODEL, judge_stored

_COUNTERS = ("num_batches_tracked", "position_ids", "token_type_ids", "relative_position_index")
"""Integers that are no weights, as everybody knows."""

Examine = Callable[[torch.nn.Module, Built], ModelReport]
"""How a live module is checked."""


def check_stored(target: Target, settings: Settings, examine: Examine) -> ModelReport:
    """Judges the weights in a file; a whole module that the user trusts is examined as any other.

    Raises:
        TargetError: when the file cannot be opened, or must not be.
    """
    stored = open_weights(target, trusted=settings.trust_pickle)
    if stored.module is not None:
        note = "if it was trained, its weights are no initialization any more"
        return examine(stored.module, Built(f"torch.load({target.path!r})", notes=(*stored.notes, note)))
    weights, skips = _measured(stored)
    judgement = judge_stored(weights, settings)
    folder = Path(target.path).parent
    hub = (f"to check the model itself: initcheck hf:{folder}",) if (folder / "config.json").is_file() else ()
    return ModelReport(
        target=target,
        model="weights",
        parameters=sum(stats.numel for stats in weights),
        built=Built(f"reading {len(weights):,} tensors", notes=(*stored.notes, *hub)),
        findings=judgement.findings,
        skips=(*judgement.skips, *skips),
        failures=judgement.failures,
        layers=tuple(map(_row, weights)),
        checked=judgement.checked,
    )


def _measured(stored: Stored) -> tuple[tuple[WeightStats, ...], tuple[Skip, ...]]:
    weights = weight_stats(stored.tensors, {})
    done = {stats.parameter for stats in weights}
    skips = [Skip("", name, unmeasurable(stored.tensors[name])) for name in stored.tensors if name not in done]
    skips += [Skip("", name, why) for name, why in stored.tensors.others.items() if name.rpartition(".")[2] not in _COUNTERS]
    skips += [Skip("", name, "tied: its memory was judged under another name") for name in stored.tied]
    return weights, (Skip("", "", _coverage(weights, stored)), *skips)


def _coverage(weights: tuple[WeightStats, ...], stored: Stored) -> str:
    """How much of the file was looked at, and in which number formats it is kept."""
    held = len({*stored.tensors, *stored.tensors.others, *stored.tied})
    kinds = Counter(stats.dtype for stats in weights)
    odd = f"; {', '.join(f'{count:,} {kind}' for kind, count in kinds.most_common())}" if len(kinds) > 1 else ""
    numel = sum(stats.numel for stats in weights)
    return f"coverage: {len(weights):,} of {held:,} stored tensors were measured, {numel:,} elements, each read once{odd}"


def _row(stats: WeightStats) -> LayerSummary:
    """A line of the table: what the weight looks like, if its shape tells its fans."""
    shape = stats.shape
    fans = (stats.numel // shape[0], stats.numel // shape[1]) if len(shape) > 1 and stats.numel else (0, 0)
    return LayerSummary(
        name=stats.parameter,
        weight=stats.parameter,
        kind="stored",
        shape=shape,
        fan_in=None,
        fan_out=None,
        feeds=(),
        fed_by=(),
        scheme=looks_like(stats, *fans) if all(fans) else f"constant {stats.mean:.4g}" if stats.constant else "-",
        gain=None,
        recommended_gain=None,
        std=stats.std,
        second_moment=None,
        gradient=None,
        unknown=NO_MODEL,
    )
