"""IC803."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.recording import Applied
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule
from initcheck.rules.remedies import redraw


@dataclass(frozen=True)
class InitWithoutEffect(ModelRule):
    """An initializing function was applied to the model and touched nothing.

    Why: an `isinstance` on the wrong class, or a test of a name that never holds, makes `model.apply(init)` a loop over modules that does nothing;
        the weights keep the framework's default.
    Silent when: the function made or wrote any tensor, its code names no initializer (freezing, hooks, flags, printing), a library called it,
        or the module has no weights (an identity head). Info where every weight has another explicit start, or the function speaks of normalizations only.
    Source: observed while the model is built; torch.nn.Module.apply, https://pytorch.org/docs/stable/generated/torch.nn.Module.html.
    """

    code: ClassVar[str] = "IC803"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = ("signal-vanishes", "gradient-vanishes")
    explains_from: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\ndef init(module):\n    if isinstance(module, nn.Conv2d):\n        nn.init.kaiming_normal_(module.weight, nonlinearity='relu')\n\n\n"
            "model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\nmodel.apply(init)\n",
            good="from torch import nn\n\n\ndef init(module):\n    if isinstance(module, nn.Linear):\n        nn.init.kaiming_normal_(module.weight, nonlinearity='relu')\n\n\n"
            "model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\nmodel.apply(init)\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch it; pass a function that builds it")
        for applied in evidence.recording.applied:
            left = _left(applied, evidence)
            harmless = not left or (bool(applied.tests) and all("Norm" in name for name in applied.tests))
            tests = f"it tests for {', '.join(applied.tests)}; " if applied.tests else ""
            yield self.finding(
                left,
                f"`{applied.function.rpartition('.')[2]}` was applied and initialized nothing: no module matched",
                severity="info" if harmless else "warning",
                observed=f"{tests}the weights are in {', '.join(applied.present)}; {len(left)} of them keep the framework's default",
                expected=f"at least one {', '.join(applied.initializers)}",
                location=applied.location,
                fix=redraw(left, evidence, f"test for {', '.join(applied.present)}"),
                note="matches no module",
                why="`apply` calls the function for every module; none fulfilled its condition, so the weights are as the layers' constructors left them.",
            )


def _left(applied: Applied, evidence: Evidence) -> tuple[str, ...]:
    """The weights below the module that still have the framework's default."""
    prefix = f"{applied.module}." if applied.module else ""
    found = []
    for record in evidence.recording.parameters:
        ruling = record.ruling()
        default = ruling is not None and ruling.origin == "framework default" and not record.later()
        if record.name.startswith(prefix) and len(record.shape) > 1 and default and record.owner in applied.present:
            found.append(record.name)
    return tuple(found)
