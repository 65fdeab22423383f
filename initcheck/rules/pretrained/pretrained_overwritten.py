"""IC902."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.arrival import Arrived
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.rule import Example
from initcheck.records.source import Location
from initcheck.rules.arriving import Coverage, coverage, loads, names
from initcheck.rules.base import DRIFTS, ModelRule
from initcheck.rules.checkpoints import FILE, NET


@dataclass(frozen=True)
class PretrainedOverwritten(ModelRule):
    """Weights were loaded, and then initialized anew.

    Why: an `apply(init)`, a `reset_parameters` or an `_init_weights` that runs after the load replaces trained numbers by random ones.
        Nothing fails, nothing is reported as missing, and the model trains as if it had never been pretrained.
    Silent when: what was written rests on the loaded numbers (a cast, an average, resized tables, a merge), another load came after it, or a
        new layer took the place of the loaded one. Only the last layer was drawn anew: that is told by head-left-random. A warning where
        what was drawn anew are the last layers only.
    Source: proven by comparing the bits after the load with those at the end of the construction; transformers issue 46620 and pull request 45591,
        flash-linear-attention pull request 820.
    """

    code: ClassVar[str] = "IC902"
    severity: ClassVar[Severity] = "error"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "dead-units",
        "saturated-units",
        "initial-loss-too-high",
        "init-overwritten",
        "default-under-depth",
        "scheme-nonlinearity-mismatch",
        "scale-outlier",
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=NET + FILE + "model = Net()\nmodel.load_state_dict(weights)\nmodel.apply(init)\n",
            good=NET + FILE + "model = Net()\nmodel.apply(init)\nmodel.load_state_dict(weights)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found = coverage(evidence)
        if found is None:
            return
        kept = {one.name for arrival in loads(evidence) for one in arrival.of("loaded", "changed")}
        groups: dict[object, list[Arrived]] = {}
        for one in found.left("overwritten"):
            if one.kind == "parameter" and one.name not in kept:
                groups.setdefault(_deed(one.by), []).append(one)
        total = sum(len([one for one in arrival.named if one.kind == "parameter"]) for arrival in found.arrivals)
        for group in groups.values():
            severity = self._severity(group, found, evidence)
            if severity is not None:
                yield self._say(group[0].by, group, severity, total, found)

    def _severity(self, group: list[Arrived], found: Coverage, evidence: Evidence) -> Severity | None:
        """None for the last layer alone, which is drawn anew on purpose."""
        if not all(found.in_head(one.name) for one in group):
            return "error"
        matrices = [one for one in group if len(one.shape) > 1 and evidence.layer(one.name) is not None]
        return "warning" if len(matrices) > 1 else None

    def _say(self, by: Location | None, group: list[Arrived], severity: Severity, total: int, found: Coverage) -> Finding:
        load = next(arrival.location for arrival in found.arrivals if any(one.name == group[0].name for one in arrival.tensors))
        after = f" after the load at line {load.line}" if load is not None and load.line else " after the load"
        scheme = f" by {group[0].call}" if group[0].call else ""
        return self.finding(
            names(group),
            f"loaded weights were initialized anew{scheme}",
            severity=severity,
            observed=f"{len(group):,} of {total:,} loaded parameters no longer hold what was loaded",
            expected="the stored numbers, bit for bit",
            location=by,
            fix=Fix(names(group), None, "display", "initialize first and load last, or leave the loaded parameters out"),
            note=f"writes over them{after}",
            why="What was learned is gone from these parameters.",
        )


def _deed(by: Location | None) -> object:
    """What the lines of one initializing function have in common: one call of it wrote weights and biases."""
    return (by.path, by.function) if by is not None and by.function else by
