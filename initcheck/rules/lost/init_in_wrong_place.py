"""IC804."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall, ParameterRecord
from initcheck.records.rule import Example, Mends
from initcheck.records.source import Location
from initcheck.rules.base import MATRIX_KINDS, ModelRule
from initcheck.rules.remedies import safety_of
from initcheck.theory.schemes import describe, family_of


@dataclass(frozen=True)
class InitInWrongPlace(ModelRule):
    """The author's scheme reached some layers of a kind and missed their siblings.

    Why: a loop over `children()` does not enter nested blocks, a slice stops early, an index is off by one; the rest keeps the framework's
        default, whose gain differs, without anything to show for it.
    Silent when: fewer than three layers of the class got the scheme by one line, the others play another role (head, stem, attention against feed-forward,
        in front of a normalization), lie outside of the part of the model that the line worked on, were written by anything but the default, come from a library, or the scheme is a constant
        (zero-initialized branch ends).
        Info where role and place agree, but neither did one line of code make them all nor is the scheme set in a loop over `children()`.
    Source: observed while the model is built; torch.nn.Module.children and modules, https://pytorch.org/docs/stable/generated/torch.nn.Module.html.
    """

    code: ClassVar[str] = "IC804"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = ("weight-too-small", "signal-vanishes", "gradient-vanishes")
    explains_from: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[nn.Sequential(nn.Linear(16, 16), nn.ReLU()) for _ in range(5)], nn.Linear(16, 4))\n"
            "for block in model[:3]:\n    nn.init.kaiming_normal_(block[0].weight, nonlinearity='relu')\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[nn.Sequential(nn.Linear(16, 16), nn.ReLU()) for _ in range(5)], nn.Linear(16, 4))\n"
            "for block in model[:5]:\n    nn.init.kaiming_normal_(block[0].weight, nonlinearity='relu')\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its writes; pass a function that builds it")
        layers = {layer.weight: layer for layer in evidence.layers if layer.kind in MATRIX_KINDS}
        done: dict[tuple[str, Location], list[ParameterRecord]] = defaultdict(list)
        left: dict[str, list[ParameterRecord]] = defaultdict(list)
        for record in evidence.recording.parameters:
            ruling = record.ruling()
            if ruling is None or record.name not in layers or not ruling.location.known() or not record.trainable:
                continue
            if ruling.origin == "user" and ruling.call.known() and family_of(ruling.call.get()) != "constant":
                done[record.owner, ruling.location.get()].append(record)
            elif ruling.origin == "framework default" and not record.later():
                left[record.owner].append(record)
        for (owner, line), reached in done.items():
            if len(reached) >= 3 and left[owner]:
                yield from self._compare(line, reached, left[owner], layers, evidence)

    def _compare(
        self, line: Location, reached: list[ParameterRecord], left: list[ParameterRecord], layers: dict[str, Layer], evidence: Evidence
    ) -> Iterator[Finding]:
        roles = {_role(layers[record.name]) for record in reached}
        scope = _scope([record.module for record in reached])
        inside = [r for r in left if _inside(r.module, scope) and _role(layers[r.name]) in roles and _written_in(r) == line.path]
        twins = [record for record in inside if any(_twin(record, other) for other in reached)]
        nested = line in evidence.recording.shallow and _children_only(reached, inside, scope)
        missed = inside if nested else twins
        severity: Severity = "warning" if missed else "info"
        if not inside:
            return
        missed = missed or inside
        ruling = reached[0].ruling()
        call = ruling.call.get() if ruling is not None else InitCall("")
        how = "; they lie deeper than the layers that it reached" if nested else ""
        yield self.finding(
            tuple(record.name for record in missed),
            f"keep the framework's default, while {len(reached)} siblings of class {reached[0].owner} got {describe(call)}{how}",
            severity=severity,
            observed=f"line {line.line} reached {', '.join(record.name for record in reached[:3])}{' ...' if len(reached) > 3 else ''}",
            expected=f"the same scheme for all {len(reached) + len(missed)}",
            location=line,
            fix=Fix(
                tuple(record.name for record in missed),
                call,
                safety_of(tuple(record.name for record in missed), evidence),
                f"use {describe(call)} here too{'; loop over modules(), not children()' if nested else ''}",
            ),
            note=f"misses {len(missed)} of {len(reached) + len(missed)}",
            why="Layers of one class in one role need one scheme; the framework's default has a gain of 0.58.",
        )


def _role(layer: Layer) -> tuple[object, ...]:
    feeds = layer.feeds.get() if layer.feeds.known() else ()
    fed_by = layer.fed_by.get() if layer.fed_by.known() else ()
    return layer.kind, feeds, layer.norm != "", layer.closes_branch, layer.gates, "input" in fed_by and len(fed_by) == 1


def _scope(modules: list[str]) -> str:
    """The path of the innermost module that holds all of these."""
    split = [module.split(".")[:-1] for module in modules]
    together = []
    for names in zip(*split, strict=False):
        if len(set(names)) > 1:
            break
        together.append(names[0])
    return ".".join(together)


def _inside(module: str, scope: str) -> bool:
    return not scope or module.startswith(f"{scope}.")


def _twin(one: ParameterRecord, other: ParameterRecord) -> bool:
    """Whether two parameters were made by one line and differ in their names by numbers only."""
    same_line = one.created is not None and other.created is not None and one.created == other.created
    return same_line and re.sub(r"\d+", "#", one.name) == re.sub(r"\d+", "#", other.name)


def _children_only(reached: list[ParameterRecord], inside: list[ParameterRecord], scope: str) -> bool:
    """Whether the line reached every layer that is a direct child of one module, and no deeper one."""
    depth = scope.count(".") + 1 if scope else 0
    direct = all(record.module.count(".") == depth for record in reached)
    return direct and all(record.module.count(".") > depth for record in inside)


def _written_in(record: ParameterRecord) -> str:
    """The file whose line made the layer."""
    ruling = record.ruling()
    return ruling.location.get().path if ruling is not None and ruling.location.known() else ""
