"""How a weight's scale is held against what its surroundings need; shared by weight-too-large and weight-too-small."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from initcheck.advice.scale import advice, needed_gain
from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.rules.base import MATRIX_KINDS, Rule, written_at
from initcheck.rules.remedies import redraw
from initcheck.theory.sampling import scale_error


@dataclass(frozen=True, slots=True)
class ScaleExcess:
    """One layer whose gain is off by `ratio`; `required` is the gain that its surroundings need."""

    layer: Layer
    ratio: float
    required: float
    severity: Severity = "warning"

    def at(self, severity: Severity) -> ScaleExcess:
        """The same, at this severity."""
        return dataclasses.replace(self, severity=severity)


def explicit(layer: Layer, evidence: Evidence) -> bool:
    """Whether somebody chose this weight's scale: not the framework's default, not rescaled at run time, not loaded, more than one element."""
    record, stats = evidence.record(layer.weight), evidence.stats(layer.weight)
    if "embedding" in layer.kinds:
        return False  # a tied table is judged by what it does as a head (embedding-scale)
    if layer.kind not in MATRIX_KINDS or layer.kind == "recurrent" or layer.derived or stats is None or stats.numel < 8 or stats.constant:
        return False
    ruling = record.ruling() if record is not None else None
    if record is None or ruling is None:
        return True  # nobody watched: the numbers speak for themselves
    if ruling.origin == "framework default":
        return bool(record.later())
    return ruling.origin in ("user", "library", "external", "unknown", "copied")


def reference_gain(layer: Layer) -> float:
    """The gain that the layer's nonlinearity needs; 1 where it feeds none, or one of which nothing is known."""
    try:
        return needed_gain(layer.nonlinearity.get())
    except NotKnown:
        return 1.0


def phrase_scale(
    rule: Rule, blamed: Mapping[str, ScaleExcess], evidence: Evidence, direction: Literal["large", "small"]
) -> Iterator[Finding]:
    """One finding for each severity, named after the worst layer."""
    for severity in ("error", "warning", "info"):
        group = [excess for excess in blamed.values() if excess.severity == severity]
        if not group:
            continue
        worst = max(group, key=lambda excess: excess.ratio if direction == "large" else -excess.ratio)
        layer = worst.layer
        names = tuple(excess.layer.weight for excess in group)
        factor = worst.ratio if direction == "large" else 1 / worst.ratio
        where = (
            " in front of a normalization"
            if layer.norm
            else " inside a residual branch"
            if layer.inside_branch or layer.closes_branch
            else ""
        )
        stats = evidence.stats(layer.weight)
        error = scale_error(stats.numel, stats.kurtosis) if stats is not None else 0.0
        fan = layer.fan_in.get()
        suggested = advice(layer)
        yield rule.finding(
            names,
            f"std is {factor:.3g} times too {direction}{where}",
            severity=severity,
            observed=f"std {layer.gain.get() / fan**0.5:.3g} ± {100 * error:.1g} %, gain {layer.gain.get():.3g}",
            expected=f"std {worst.required / fan**0.5:.3g} (gain {worst.required:.3g}, fan_in {fan})",
            location=written_at(evidence.record(layer.weight)),
            fix=redraw(names, evidence, f"use {suggested.scheme}"),
            note=f"{factor:.3g} times too {direction}",
            why=_why(layer, direction, worst.ratio),
        )


def _why(layer: Layer, direction: str, ratio: float) -> str:
    if layer.norm:
        return f"The normalization removes the scale from the signal; the effective learning rate of this weight is {1 / ratio**2:.2g} times the usual one."
    return f"Each such layer multiplies the second moment by {ratio**2:.3g}; the {'excess' if direction == 'large' else 'loss'} compounds with depth."
